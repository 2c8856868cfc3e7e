"""Making everything that is missing in this process, where no page and daemon run."""

from collections.abc import Callable, Collection

import dagster as dg

from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.partitions import multi_partition_key
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.folders import DataFolders

Say = Callable[[str], None]


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
    for asset, statuses, keys in (
        ("audio_features", found.voices, dict.fromkeys(clip.voice for clip in waiting)),
        ("face_tracks", found.presenters, dict.fromkeys(clip.presenter for clip in waiting)),
    ):
        for key in keys:
            if statuses[key].to_be_made:
                say(f"Analysing {key}")
                _tell(say, materializer.run([asset], key))
    found = plan(instance, folders, settings, clips)
    for clip, status in found.clips.items():
        if status.to_be_made:
            say(f"Making {clip}")
            _tell(say, materializer.run(["generated_frames", "encoded_video"], multi_partition_key(clip)))
    for audio, status in plan(instance, folders, settings).deliveries.items():
        if status.to_be_made:
            _tell(say, materializer.run(["delivery"], audio))
    return plan(instance, folders, settings, clips)


def _tell(say: Say, failure: str | None) -> None:
    if failure is not None:
        say(failure)
