"""Making things in this process, against the real instance: one partition, or everything that is missing."""

from collections.abc import Callable, Collection, Iterator, Sequence

import dagster as dg

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.assets.specifications import SpecificationSource
from heygem_pipeline.assets.step_progress import ProgressDisplay
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.partitions import multi_partition_key
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""The terminal belongs to whoever called; the log lines are in the page all the same."""

Say = Callable[[str], None]


class Materializer:
    """Runs parts of the graph here and now, one partition a run; the pools of the instance are in force."""

    def __init__(
        self, instance: dg.DagsterInstance, display: ProgressDisplay, specifications: SpecificationSource
    ) -> None:
        self._instance = instance
        self._job = graph_definitions(display, specifications).resolve_implicit_global_asset_job_def()

    def run(self, assets: Sequence[str], partition: str) -> str | None:
        """Materialize the assets for one partition; return None, or the sentence of what failed."""
        result = self._job.execute_in_process(
            run_config=QUIET,
            instance=self._instance,
            asset_selection=[dg.AssetKey(name) for name in assets],
            partition_key=partition,
            raise_on_error=False,
        )
        if result.success:
            return None
        return next(_sentences(result), f"run {result.run_id} failed; see it in the page")


def make_missing(
    instance: dg.DagsterInstance,
    folders: DataFolders,
    settings: Settings,
    materializer: Materializer,
    clips: Collection[ClipKey],
    say: Say,
) -> Plan:
    """Make what can be made of these clips, one after another; return where they stand then.

    What failed before is not tried again; a failure is told and stops nothing. To be called holding the lock.
    """
    found = plan(instance, folders, settings, clips)
    waiting = [clip for clip, status in found.clips.items() if status.state is State.WAITING]
    for assets, statuses, keys in (
        (["spoken_script", "audio_features"], found.voices, dict.fromkeys(clip.voice for clip in waiting)),
        (["face_tracks"], found.presenters, dict.fromkeys(clip.presenter for clip in waiting)),
    ):
        for key in keys:
            if statuses[key].to_be_made:
                say(f"Analysing {key}")
                tell_failure(say, materializer.run(assets, key))
    found = plan(instance, folders, settings, clips)
    for clip, status in found.clips.items():
        if status.to_be_made:
            say(f"Making {clip}")
            tell_failure(say, materializer.run(["generated_frames", "encoded_video"], multi_partition_key(clip)))
    for voice_key, status in plan(instance, folders, settings).deliveries.items():
        if status.to_be_made:
            tell_failure(say, materializer.run(["delivery"], voice_key))
    return plan(instance, folders, settings, clips)


def tell_failure(say: Say, failure: str | None) -> None:
    """Say what ``Materializer.run`` returned, if it failed."""
    if failure is not None:
        say(failure)


def _sentences(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for event in result.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        if data.user_failure_data is not None and data.user_failure_data.description:
            yield data.user_failure_data.description
        elif data.error is not None:
            yield data.error.message.strip().splitlines()[-1]
