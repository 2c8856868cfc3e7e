"""What is to be started: by itself, because somebody asked, or because a campaign's time has come."""

from collections.abc import Iterable, Iterator

import dagster as dg

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.requests import Requests
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.dagster_internals import MAX_RETRIES_TAG, PRIORITY_TAG
from heygem_pipeline.runs.history import TRIED_TAG
from heygem_pipeline.runs.partitions import multi_partition_key
from heygem_pipeline.runs.stages import JOB_OF_STAGE, Stage, Subject
from heygem_pipeline.settings import Automatic
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.uploads.registry import DIMENSIONS, UploadKind


def is_made_by_itself(wanting: tuple[Campaign, ...], automatic: Automatic) -> bool:
    """Is the clip made as soon as it can be? A campaign with a cron line has its clips made at that time instead."""
    return automatic is Automatic.CLIPS and (not wanting or any(campaign.schedule is None for campaign in wanting))


def room_in_queue(found: Plan, queue_length: int) -> int:
    """How many more runs may be asked for now."""
    statuses = (*found.voices.values(), *found.presenters.values(), *found.clips.values(), *found.deliveries.values())
    queued = sum(status.state is State.QUEUED and status.run_id is not None for status in statuses)
    return max(0, queue_length - queued)


def to_start(found: Plan, requests: Requests, automatic: Automatic) -> Iterator[Subject]:
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


def settled_requests(found: Plan, requests: Requests) -> list[str]:
    """The requests that need nothing more: started, finished, failed, or for clips that are not wanted any more."""
    asked = {key: found.clips.get(ClipKey.from_partition(key)) for key in requests.clips}
    cancelled = {key: found.clips.get(ClipKey.from_partition(key)) for key in requests.cancelled}
    return [
        *(key for key, status in asked.items() if status is None or not status.missing),
        *(key for key, status in cancelled.items() if status is None or status.state is State.DONE),
    ]


def run_requests(
    instance: dg.DagsterInstance, found: Plan, subjects: Iterable[Subject], asked: Iterable[str] = (), tick: str = ""
) -> list[dg.RunRequest]:
    """Ask for a run of each whose keys Dagster knows.

    Args:
        asked: clips that go before those made by themselves.
        tick: of a schedule, which must name its runs.
    """
    known = {kind: set(instance.get_dynamic_partitions(kind.value)) for kind in DIMENSIONS}
    first = set(asked)
    requests = []
    for subject in subjects:
        clip = subject.clip if subject.stage is Stage.CLIP else ClipKey(subject.key, subject.key)
        if subject.stage is not Stage.PRESENTER and clip.voice not in known[UploadKind.AUDIO]:
            continue
        if subject.stage in (Stage.PRESENTER, Stage.CLIP) and clip.presenter not in known[UploadKind.TEMPLATE]:
            continue
        later = subject.stage is Stage.CLIP and subject.key not in first
        tags = {
            TRIED_TAG: found.what_is_tried(subject),
            # A run whose process died is asked for again by the planner, which knows whether it is still wanted.
            MAX_RETRIES_TAG: "0",
            # What people start in the page goes first.
            PRIORITY_TAG: "-1" if later else "0",
        }
        key = multi_partition_key(clip) if subject.stage is Stage.CLIP else subject.key
        name = f"{subject.key} {tick}" if tick else None
        requests.append(dg.RunRequest(name, job_name=JOB_OF_STAGE[subject.stage], partition_key=key, tags=tags))
    return requests
