"""What Dagster's page is answered beyond what Dagster knows: which clips are wanted, and why the rest is not made."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter
from dagster_graphql.schema.asset_graph import GrapheneAssetNode
from dagster_graphql.schema.backfill import GraphenePartitionBackfill
from dagster_graphql.schema.errors import GraphenePythonError
from dagster_graphql.schema.pipelines.pipeline import GraphenePartitionStats, GrapheneRun
from dagster_graphql.schema.util import ResolveInfo
from dagster_webserver.webserver import DagsterWebserver
from graphene import Schema
from graphql import GraphQLField, GraphQLObjectType

from heygem_pipeline.campaigns.campaigns_folder import load_campaigns, wanted_clips
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.runs.dagster_internals import BACKFILL_ID_TAG, SerializableErrorInfo, WorkspaceProcessContext
from heygem_pipeline.runs.failure_reasons import is_noted, read_reason, reason_in
from heygem_pipeline.runs.materializations import data_versions
from heygem_pipeline.runs.stages import STAGE_OF_ASSET, Stage, subject_of
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.registry import UploadKind, Uploads

FAILURES_TOLD = 50
"""Of a backfill; each is a look into the log of a run if nobody looked before."""

SECONDS_KNOWN = 5.0
"""The page asks every two seconds what is wanted, for each asset."""

ENDED_WITH_FAILURES = frozenset({"FAILED", "FAILING", "COMPLETED_FAILED"})

CLIP_ASSETS = frozenset(asset for asset, stage in STAGE_OF_ASSET.items() if stage is Stage.CLIP)


class Webserver(DagsterWebserver):
    """Dagster's own, with three answers of ours."""

    def __init__(
        self,
        workspace: WorkspaceProcessContext,
        path_prefix: str,
        milliseconds_between_looks: int,
        folders: DataFolders,
        chosen: Settings,
    ) -> None:
        self._answers = _Answers(folders, chosen)
        super().__init__(workspace, path_prefix, milliseconds_between_looks)

    def build_graphql_schema(self) -> Schema:
        """Dagster's schema; what is asked stays the same."""
        schema = super().build_graphql_schema()
        asset, backfill = (_fields(schema, name) for name in ("AssetNode", "PartitionBackfill"))
        asset["partitionStats"].resolve = self._answers.counted(_resolver(asset["partitionStats"]))
        asset["latestRunForPartition"].resolve = self._answers.with_run_of_input(
            _resolver(asset["latestRunForPartition"])
        )
        backfill["error"].resolve = self._answers.with_reasons(_resolver(backfill["error"]))
        return schema


def _fields(schema: Schema, name: str) -> dict[str, GraphQLField]:
    found = schema.graphql_schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found.fields


def _resolver(field: GraphQLField) -> Callable[..., Any]:
    assert field.resolve is not None
    return field.resolve


class _Answers:
    def __init__(self, folders: DataFolders, chosen: Settings) -> None:
        self._folders, self._settings = folders, chosen
        self._wanted: set[str] = set()
        self._uploads: tuple[set[str], set[str]] = set(), set()
        self._known_until = 0.0

    def counted(self, dagsters: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Pairs that nobody wants and nobody made are not missing."""

        async def answer(asset: GrapheneAssetNode, info: ResolveInfo) -> GraphenePartitionStats | None:
            stats = await dagsters(asset, info)
            if stats is None or _name(asset) not in CLIP_ASSETS:
                return stats
            wanted, there = self._wanted_and_there(info.context.instance, _name(asset))
            counted = stats.numMaterialized + stats.numFailed + stats.numMaterializing
            stats.numPartitions = max(len(wanted | there), counted)
            return stats

        return answer

    def with_run_of_input(self, dagsters: Callable[..., Any]) -> Callable[..., Any]:
        """Of a clip that was never begun because its voice or presenter failed, the run in which that failed."""

        def answer(asset: GrapheneAssetNode, info: ResolveInfo, partition: str) -> GrapheneRun | None:
            run = dagsters(asset, info, partition=partition)
            if run is not None or _name(asset) not in CLIP_ASSETS:
                return run
            clip = ClipKey.from_partition(partition)
            for name, key in (("audio_features", clip.voice), ("face_tracks", clip.presenter)):
                record = _latest_run(info.context.instance, name, key)
                if record is not None and record.dagster_run.status is DagsterRunStatus.FAILURE:
                    return GrapheneRun(record)
            return None

        return answer

    def with_reasons(self, dagsters: Callable[..., Any]) -> Callable[..., Any]:
        """Of a backfill in which runs have failed, why, in a sentence each."""

        def answer(backfill: GraphenePartitionBackfill, info: ResolveInfo) -> GraphenePythonError | None:
            error = dagsters(backfill, info)
            if error is not None or str(backfill.status) not in ENDED_WITH_FAILURES:
                return error
            told = reasons_of_backfill(info.context.instance, str(backfill.id))
            return GraphenePythonError(SerializableErrorInfo("\n".join(told), [], None)) if told else None

        return answer

    def _wanted_and_there(self, instance: dg.DagsterInstance, asset: str) -> tuple[set[str], set[str]]:
        """The partition keys of the wanted clips, and of those that were made and whose uploads are there still."""
        if monotonic() >= self._known_until:
            uploads = Uploads(self._folders)
            known = {kind: uploads.known(kind) for kind in UploadKind}
            voices, presenters = (
                uploads.voices(known),
                uploads.paths(UploadKind.PRESENTER, known[UploadKind.PRESENTER]),
            )
            campaigns = load_campaigns(self._folders.campaigns, default_render_spec(self._settings))
            self._wanted = {clip.partition for clip in wanted_clips(campaigns, voices, presenters)}
            self._uploads = set(voices), set(presenters)
            self._known_until = monotonic() + SECONDS_KNOWN
        voices, presenters = self._uploads
        made = map(ClipKey.from_partition, data_versions(instance, self._folders, asset))
        there = {clip.partition for clip in made if clip.voice in voices and clip.presenter in presenters}
        return self._wanted, there


def _name(asset: GrapheneAssetNode) -> str:
    key: Any = asset.assetKey
    return key.to_user_string()


def _latest_run(instance: dg.DagsterInstance, asset: str, key: str) -> dg.RunRecord | None:
    planned = instance.get_latest_planned_materialization_info(dg.AssetKey(asset), key)
    return instance.get_run_record_by_id(planned.run_id) if planned is not None else None


def reasons_of_backfill(instance: dg.DagsterInstance, backfill_id: str) -> list[str]:
    """Why runs of a backfill failed, a line each: what they worked on, and the sentence."""
    filters = RunsFilter(tags={BACKFILL_ID_TAG: backfill_id}, statuses=[DagsterRunStatus.FAILURE])
    failed = instance.get_runs(filters, limit=FAILURES_TOLD)
    told = []
    for run in failed:
        reason = reason_in(run.tags) if is_noted(run.tags) else None
        subject = subject_of(run)
        about = f"{subject.stage} {subject.key}: " if subject is not None else ""
        told.append(f"{about}{reason or read_reason(instance, run.run_id)}")
    more = instance.get_runs_count(filters) - len(failed)
    return [*sorted(told), *([f"and {more} more runs"] if more else [])]
