"""What people do in the page: begin and end batches, try again, cancel, delete. Each is a request to the pipeline."""

from collections.abc import Iterable

from heygem_pipeline.errors import InUse, UploadMissing
from heygem_pipeline.operations.earlier_clips import EarlierClip, keep_as_they_are, remove_earlier
from heygem_pipeline.operations.erasure import ErasureTarget, erase, plan_erasure
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.retry_and_cancel import cancel, make_missing_now, try_again
from heygem_pipeline.runs.instance import Instance
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio import batches
from heygem_pipeline.studio.refusals import Refusal


def begin_batch(instance: Instance, folders: DataFolders, settings: Settings, wish: batches.BatchSpec) -> str:
    """Have the wish's clips made, those that failed before too; return the batch's name."""
    campaign = batches.begin(folders, settings, wish)
    found = plan(instance, folders, settings)
    make_now(folders, found, [clip for clip in wish.clips if clip in found.clips])
    return campaign.name


def change_batch(
    instance: Instance, folders: DataFolders, settings: Settings, name: str, wish: batches.BatchChange, beside: bool
) -> str:
    """Change a batch, and have its clips made anew where they will look different; return its name.

    beside: what is finished of it is kept.
    """
    kept: list[EarlierClip] = []
    if beside and wish.makes_clips_anew:
        before = plan(instance, folders, settings)
        theirs = [clip for clip, wanting in before.wanting.items() if any(c.name == name for c in wanting)]
        # Before the change: what is asked for then may be made at any moment.
        kept = keep_as_they_are(folders, theirs)
    try:
        campaign = batches.change(folders, settings, name, wish)
    except Refusal:
        remove_earlier(folders, kept)
        raise
    if wish.makes_clips_anew:
        found = plan(instance, folders, settings)
        mine = [clip for clip, wanting in found.wanting.items() if any(c.name == campaign.name for c in wanting)]
        make_now(folders, found, mine)
    return campaign.name


def make_now(folders: DataFolders, found: Plan, clips: Iterable[ClipKey]) -> None:
    """Have these clips made without waiting for the time of their campaign; those that are finished stay."""
    clips = list(clips)
    try_again(folders, found, clips)
    make_missing_now(folders, found, clips)


def end_batches(
    instance: Instance, folders: DataFolders, settings: Settings, names: Iterable[str], with_clips: bool
) -> None:
    """Delete batches. with_clips: and the clips that no other batch wants. What is under way of them is cancelled."""
    ending = set(names)
    before = plan(instance, folders, settings)
    theirs = [clip for clip, wanting in before.wanting.items() if any(c.name in ending for c in wanting)]
    batches.end(folders, settings, ending)
    still_wanted = plan(instance, folders, settings).clips
    alone = [clip for clip in theirs if clip not in still_wanted]
    cancel(instance, folders, before, alone)
    if with_clips:
        for clip in alone:
            _erase(instance, folders, ErasureTarget.of_clip(clip))


def delete_uploads(instance: Instance, folders: DataFolders, targets: Iterable[ErasureTarget]) -> None:
    """Delete voices or presenters with all that was made of them. Raises Refusal while a run works on one."""
    for one in targets:
        try:
            erase(instance, folders, plan_erasure(instance, folders, one))
        except UploadMissing:
            continue
        except InUse as error:
            raise Refusal("in_use", 409, name=one.voice or one.presenter or "") from error


def _erase(instance: Instance, folders: DataFolders, target: ErasureTarget) -> None:
    try:
        erase(instance, folders, plan_erasure(instance, folders, target))
    except (UploadMissing, InUse):
        # Nothing was made of it yet, or its run is just ending; retention takes what is left.
        return
