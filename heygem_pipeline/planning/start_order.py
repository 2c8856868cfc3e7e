"""In which order what waits is started, and what goes before what in Dagster's queue."""

from collections.abc import Collection, Iterator

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.requests import Requests
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.settings import Automatic
from heygem_pipeline.storage.clip_key import ClipKey

PREVIEW_PRIORITY = "10"
"""Of a preview's run in Dagster's queue: somebody waits for it."""
USUAL_PRIORITY = "0"
"""What Dagster gives to what people start in its page."""
CLIP_PRIORITY = "-1"
"""Of clips that are made by themselves."""


def is_made_by_itself(wanting: tuple[Campaign, ...], automatic: Automatic) -> bool:
    """Is the clip made as soon as it can be? A campaign with a cron line has its clips made at that time instead."""
    return automatic is Automatic.CLIPS and (not wanting or any(campaign.schedule is None for campaign in wanting))


def start_order(found: Plan, requests: Requests, automatic: Automatic) -> Iterator[Subject]:
    """What should be running, in order: uploads, deliveries, clips that were asked for, then the rest by voice."""
    asked = [clip for key in requests.clips if (clip := ClipKey.from_partition(key)) in found.clips]
    needed = {clip.voice for clip in asked}, {clip.presenter for clip in asked}
    everything = automatic is not Automatic.OFF
    for stage, statuses, wanted in (
        (Stage.VOICE, found.voices, needed[0]),
        (Stage.PRESENTER, found.presenters, needed[1]),
    ):
        for key, status in statuses.items():
            if status.to_be_made and (everything or key in wanted):
                yield Subject(stage, key)
    if everything:
        for voice_key, status in found.deliveries.items():
            if status.to_be_made:
                yield Subject(Stage.DELIVERY, voice_key)
    for clip in asked:
        if found.clips[clip].to_be_made:
            yield Subject.of_clip(clip)
    already = set(asked)
    for voice, row in found.clips.rows.items():
        for presenter, status in row.items():
            if status.to_be_made and is_made_by_itself(found.wanting.rows[voice][presenter], automatic):
                clip = ClipKey(voice, presenter)
                if clip not in already:
                    yield Subject.of_clip(clip)


def queue_priority(subject: Subject, asked: Collection[str]) -> str:
    """The priority of a run in Dagster's queue.

    Args:
        asked: partition keys of the clips that somebody asked for.
    """
    return CLIP_PRIORITY if subject.stage is Stage.CLIP and subject.key not in asked else USUAL_PRIORITY
