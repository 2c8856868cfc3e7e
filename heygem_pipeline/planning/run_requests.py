"""What is to be started: by itself, because somebody asked, or because a campaign's time has come."""

from collections.abc import Iterable

import dagster as dg

from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.requests import Requests
from heygem_pipeline.planning.start_order import queue_priority
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.dagster_internals import MAX_RETRIES_TAG, PRIORITY_TAG
from heygem_pipeline.runs.history import INPUTS_TAG
from heygem_pipeline.runs.partitions import multi_partition_key
from heygem_pipeline.runs.stages import JOB_OF_STAGE, Stage, Subject
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.uploads.registry import DIMENSIONS, UploadKind


def room_in_queue(found: Plan, queue_length: int) -> int:
    """How many more runs may be asked for now."""
    statuses = (*found.voices.values(), *found.presenters.values(), *found.clips.values(), *found.deliveries.values())
    queued = sum(status.state is State.QUEUED and status.run_id is not None for status in statuses)
    return max(0, queue_length - queued)


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
        if subject.stage is not Stage.PRESENTER and clip.voice not in known[UploadKind.VOICE]:
            continue
        if subject.stage in (Stage.PRESENTER, Stage.CLIP) and clip.presenter not in known[UploadKind.PRESENTER]:
            continue
        tags = {
            INPUTS_TAG: found.inputs_digest(subject),
            # A run whose process died is asked for again by the planner, which knows whether it is still wanted.
            MAX_RETRIES_TAG: "0",
            PRIORITY_TAG: queue_priority(subject, first),
        }
        key = multi_partition_key(clip) if subject.stage is Stage.CLIP else subject.key
        name = f"{subject.key} {tick}" if tick else None
        requests.append(dg.RunRequest(name, job_name=JOB_OF_STAGE[subject.stage], partition_key=key, tags=tags))
    return requests
