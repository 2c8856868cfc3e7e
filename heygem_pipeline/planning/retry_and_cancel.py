"""What people ask of clips, by command or in the Studio: to be tried again, made now, or stopped."""

from collections.abc import Iterable, Mapping

import dagster as dg
from dagster import DagsterRunStatus

from heygem_pipeline.errors import UploadMissing
from heygem_pipeline.planning.failed_inputs import failed_subjects
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.requests import ask_for, forgive, put_off
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.history import INPUTS_TAG
from heygem_pipeline.runs.log_file import note
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders


def clips_of_campaign(found: Plan, name: str | None) -> list[ClipKey]:
    """The wanted clips, or those of a campaign that is named by its file, its path, or its title."""
    if name is None:
        return list(found.clips)
    wanted = [clip for clip, wanting in found.wanting.items() if any(campaign.is_called(name) for campaign in wanting)]
    if not wanted:
        raise UploadMissing("campaign.wants_nothing", name=name)
    return wanted


def try_again(folders: DataFolders, found: Plan, clips: Iterable[ClipKey]) -> list[ClipKey]:
    """Have those of the clips made that failed or were removed for their age; return them.

    What failed of them, a voice or presenter maybe, is forgiven.
    """
    again = [clip for clip in clips if found.clips[clip].state in (State.FAILED, State.REMOVED)]
    forgive(folders, {what for clip in again for what in failed_subjects(found, clip)})
    for clip in again:
        folders.files.remove(folders.removed(clip))
    ask_for(folders, [clip.partition for clip in again])
    return again


def make_missing_now(folders: DataFolders, found: Plan, clips: Iterable[ClipKey]) -> list[ClipKey]:
    """Have those of the clips made now that are missing or stale, whatever their campaign's time; return them."""
    missing = [clip for clip in clips if found.clips[clip].missing]
    ask_for(folders, [clip.partition for clip in missing])
    return missing


def cancel(instance: dg.DagsterInstance, folders: DataFolders, found: Plan, clips: Iterable[ClipKey]) -> list[str]:
    """Stop the runs of these clips, make none of them until somebody asks for it; return runs that do not answer."""
    statuses = {clip: found.clips[clip] for clip in clips}
    put_off(folders, [clip.partition for clip, status in statuses.items() if not status.settled])
    runs = [run_id for status in statuses.values() if (run_id := status.active_run) is not None]
    return [run_id for run_id in runs if not stop(instance, folders, run_id)]


def stop_what_began_meanwhile(
    instance: dg.DagsterInstance, folders: DataFolders, found: Plan, cancelled: Mapping[str, float]
) -> None:
    """Stop runs of cancelled clips that were being asked for while somebody cancelled them.

    What people start in Dagster's page all the same goes on.

    Args:
        cancelled: partition key -> when, as ``Requests`` has it.
    """
    for key, at in cancelled.items():
        clip = ClipKey.from_partition(key)
        status = found.clips.get(clip)
        if status is None or status.active_run is None:
            continue
        run = instance.get_run_by_id(status.active_run)
        if run is None or run.status is DagsterRunStatus.CANCELING or at <= found.inputs.newest_upload(clip):
            continue
        if INPUTS_TAG in run.tags and run.parent_run_id is None:
            stop(instance, folders, run.run_id)


def stop(instance: dg.DagsterInstance, folders: DataFolders, run_id: str) -> bool:
    """Tell a run to stop; False where it does not answer."""
    told = instance.run_coordinator.cancel_run(run_id)
    if told:
        note(folders, "It is told to stop.", "cancel", instance.get_run_by_id(run_id))
    return told
