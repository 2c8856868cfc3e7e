"""Whose failure keeps a clip from being made: its voice's, its presenter's, or its own."""

import dagster as dg

from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.stages import Stage, subject_of
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders


def failed_subjects(found: Plan, clip: ClipKey) -> list[str]:
    """What failed of a clip, as ``requests.forgive`` takes it: its voice, its presenter, or the clip itself."""
    inputs = [
        (Stage.VOICE, clip.voice, found.voices.get(clip.voice)),
        (Stage.PRESENTER, clip.presenter, found.presenters.get(clip.presenter)),
    ]
    failed = [f"{stage} {key}" for stage, key, status in inputs if status and status.state is State.FAILED]
    return failed or [f"{Stage.CLIP} {clip.partition}"]


def run_of_failed_input(
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
