"""A clip's two assets go in one run, whenever its presenter is tracked: Dagster's own backfill decides."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from time import time

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.definitions.temporal_context import TemporalContext
from dagster._core.events import StepMaterializationData
from dagster._core.execution.asset_backfill import AssetBackfillData, execute_asset_backfill_iteration_inner
from dagster._core.test_utils import mock_workspace_from_repos

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline_tests.house import CLIP

VOICES, PRESENTERS = ("one", "two"), ("anna", "ben", "carl")
BACKFILL, MOST_TICKS = "a_backfill", 60


class Backfill:
    """A backfill of the whole graph, whose runs end when it is said. asked: the assets of every run, by partition."""

    def __init__(self) -> None:
        definitions = graph_definitions()
        self.graph = mock_workspace_from_repos([definitions.get_repository_def()]).asset_graph
        self.job = definitions.resolve_implicit_global_asset_job_def()
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions("audio", VOICES)
        self.instance.add_dynamic_partitions("template", PRESENTERS)
        self.data = AssetBackfillData.from_asset_partitions(
            asset_graph=self.graph,
            partition_names=None,
            asset_selection=list(self.graph.get_all_asset_keys()),
            dynamic_partitions_store=self.instance,
            all_partitions=True,
            backfill_start_timestamp=time(),
        )
        self.asked: dict[str, list[set[str]]] = {}
        self.under_way: list[tuple[str, list[str], dg.DagsterRun]] = []

    def tick(self) -> None:
        """The daemon looks around once."""
        view = AssetGraphView(
            temporal_context=TemporalContext(effective_dt=datetime.now(UTC), last_event_id=None),
            instance=self.instance,
            asset_graph=self.graph,
        )
        result = execute_asset_backfill_iteration_inner(
            BACKFILL, self.data, view, time(), logging.getLogger("backfill"), None
        )
        asked = set()
        for request in result.run_requests:
            key, assets = (
                str(request.partition_key),
                [asset.to_user_string() for asset in request.asset_selection or ()],
            )
            asked |= {AssetKeyPartitionKey(dg.AssetKey(asset), key) for asset in assets}
            self.asked.setdefault(key, []).append(set(assets))
            run = self.instance.create_run_for_job(
                self.job,
                status=DagsterRunStatus.STARTED,
                tags={**request.tags, "dagster/backfill": BACKFILL, "dagster/partition": key},
                asset_selection=frozenset(map(dg.AssetKey, assets)),
            )
            self.under_way.append((key, assets, run))
        requested = result.backfill_data.requested_subset | AssetGraphSubset.from_asset_partition_set(asked, self.graph)
        self.data = result.backfill_data._replace(requested_subset=requested)

    def end(self, position: int, well: bool = True) -> None:
        """One of the runs under way ends."""
        key, assets, run = self.under_way.pop(position)
        for asset in assets if well else ():
            made = StepMaterializationData(dg.AssetMaterialization(asset, partition=key))
            kind = DagsterEventType.ASSET_MATERIALIZATION.value
            self.instance.report_dagster_event(DagsterEvent(kind, self.job.name, event_specific_data=made), run.run_id)
        if not well:
            self.instance.report_run_failed(run)

    def end_all_of(self, *keys: str) -> None:
        """Everything that is under way for these partitions ends well."""
        for position, (key, _, _) in reversed(list(enumerate(self.under_way))):
            if key in keys:
                self.end(position)

    @property
    def clips(self) -> dict[str, list[set[str]]]:
        """What was asked for of clips."""
        return {key: asked for key, asked in self.asked.items() if "|" in key}


@pytest.fixture
def backfill() -> Iterator[Backfill]:
    yield Backfill()


def clips_of(*presenters: str) -> set[str]:
    return {f"{voice}|{presenter}" for voice in VOICES for presenter in presenters}


def in_one_run_each(clips: set[str]) -> dict[str, list[set[str]]]:
    return {key: [set(CLIP)] for key in clips}


def test_clips_of_a_presenter_begin_in_one_run_each_while_another_is_tracked(backfill: Backfill) -> None:
    backfill.tick()
    backfill.end_all_of(*VOICES, "anna")
    backfill.tick()
    assert backfill.clips == in_one_run_each(clips_of("anna"))
    backfill.end_all_of("ben", "one|anna")
    backfill.tick()
    assert backfill.clips == in_one_run_each(clips_of("anna", "ben"))


def test_a_presenter_that_fails_keeps_no_other_clip_from_being_made(backfill: Backfill) -> None:
    backfill.tick()
    backfill.end_all_of(*VOICES, "anna", "ben")
    assert [key for key, _, _ in backfill.under_way] == ["carl"]
    backfill.end(0, well=False)
    backfill.tick()
    assert backfill.clips == in_one_run_each(clips_of("anna", "ben"))


@pytest.mark.parametrize("seed", range(5))
def test_in_whatever_order_runs_end_every_clip_has_one_run(backfill: Backfill, seed: int) -> None:
    chance = Random(seed)
    for _ in range(MOST_TICKS):
        backfill.tick()
        if not backfill.under_way:
            break
        for _ in range(chance.randint(1, 2)):
            if backfill.under_way:
                backfill.end(chance.randrange(len(backfill.under_way)))
    assert backfill.clips == in_one_run_each(clips_of(*PRESENTERS))
    assert {key for key, asked in backfill.asked.items() if {"delivery"} in asked} == set(VOICES)
