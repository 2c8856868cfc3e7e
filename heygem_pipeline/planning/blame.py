"""Which run is to blame where a clip is not even begun."""

import dagster as dg

from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.stages import Stage, subject_of
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.folders import DataFolders


def run_to_blame(
    instance: dg.DagsterInstance, folders: DataFolders, settings: Settings, name: str
) -> dg.DagsterRun | None:
    """The run of the voice or presenter whose failure keeps "voice/presenter" from being made; else None."""
    clip = ClipKey.from_label(name)
    status = None if clip is None else plan(instance, folders, settings, [clip]).clips.get(clip)
    if status is None or status.state is not State.FAILED or status.run_id is None:
        return None
    run = instance.get_run_by_id(status.run_id)
    subject = None if run is None else subject_of(run)
    return run if subject is not None and subject.stage in (Stage.VOICE, Stage.PRESENTER) else None
