"""What people do in the page: begin and end batches, try again, cancel, delete. Each is a request to the pipeline."""

from collections.abc import Iterable

from heygem_pipeline.automation.campaigns import Clip
from heygem_pipeline.automation.forgetting import Whom, forget, what_is_kept
from heygem_pipeline.automation.instance import Instance
from heygem_pipeline.automation.launching import blamed
from heygem_pipeline.automation.planner import Plan, Stand, plan
from heygem_pipeline.automation.requests import ask_for, forgive, withdraw
from heygem_pipeline.automation.stages import key_of
from heygem_pipeline.errors import InUse, UploadMissing
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio import batches
from heygem_pipeline.studio.refusals import Refusal

IN_A_RUN = (Stand.QUEUED, Stand.RUNNING)
NOT_BEGUN = (Stand.WAITING, Stand.READY, Stand.STALE)


def begin_batch(instance: Instance, folders: DataFolders, wish: batches.Wish) -> str:
    """Have the wish's clips made, those that failed before too; return the batch's name."""
    campaign = batches.begin(folders, wish)
    found = plan(instance, folders)
    wanted = [clip for clip in wish.clips if clip in found.clips]
    try_again(folders, found, wanted)
    ask_for(folders, [key_of(*clip) for clip in wanted if found.clips[clip].stand is not Stand.DONE])
    return campaign.name


def try_again(folders: DataFolders, found: Plan, clips: Iterable[Clip]) -> int:
    """Forgive what failed of these clips, and ask for them anew; return how many there were."""
    failed = [
        clip for clip in clips if clip in found.clips and found.clips[clip].stand in (Stand.FAILED, Stand.REMOVED)
    ]
    forgive(folders, {what for clip in failed for what in blamed(found, clip)})
    ask_for(folders, [key_of(*clip) for clip in failed])
    return len(failed)


def make_now(folders: DataFolders, found: Plan, clips: Iterable[Clip]) -> None:
    """Have these clips made without waiting for the time of their campaign; those that are finished stay."""
    clips = [clip for clip in clips if clip in found.clips]
    try_again(folders, found, clips)
    ask_for(folders, [key_of(*clip) for clip in clips if found.clips[clip].stand in NOT_BEGUN])


def cancel(instance: Instance, folders: DataFolders, found: Plan, clips: Iterable[Clip]) -> int:
    """Stop the runs of these clips, or take them out of the queue; return how many runs were told."""
    clips = [clip for clip in clips if clip in found.clips]
    withdraw(folders, [key_of(*clip) for clip in clips])
    told = 0
    for clip in clips:
        standing = found.clips[clip]
        if standing.stand in IN_A_RUN and standing.run_id is not None:
            told += bool(instance.run_coordinator.cancel_run(standing.run_id))
    return told


def end_batches(instance: Instance, folders: DataFolders, names: Iterable[str], with_clips: bool) -> None:
    """Delete batches. with_clips: and the clips that no other batch wants. What is under way of them is cancelled."""
    ending = set(names)
    before = plan(instance, folders)
    theirs = [clip for clip, wanting in before.wanting.items() if any(c.name in ending for c in wanting)]
    batches.end(folders, ending)
    still_wanted = plan(instance, folders).clips
    alone = [clip for clip in theirs if clip not in still_wanted]
    cancel(instance, folders, before, alone)
    if with_clips:
        for clip in alone:
            _forget(instance, folders, Whom(*clip))


def delete_uploads(instance: Instance, folders: DataFolders, whom: Iterable[Whom]) -> None:
    """Delete voices or presenters with all that was made of them. Raises Refusal while a run works on one."""
    for one in whom:
        try:
            forget(instance, folders, what_is_kept(instance, folders, one))
        except UploadMissing:
            continue
        except InUse as error:
            raise Refusal("in_use", 409, name=one.audio or one.template or "") from error


def _forget(instance: Instance, folders: DataFolders, whom: Whom) -> None:
    try:
        forget(instance, folders, what_is_kept(instance, folders, whom))
    except (UploadMissing, InUse):
        # Nothing was made of it yet, or its run is just ending; retention takes what is left.
        return
