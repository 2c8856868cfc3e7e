"""The sensors: what is taken in, what is started, and what is told of runs that were killed."""

import json
import logging
from itertools import islice
from time import time

import dagster as dg
from dagster import DagsterRunStatus

from heygem_pipeline.campaigns.campaigns_folder import load_campaigns
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.operations.webhooks import tell_what_is_finished
from heygem_pipeline.orchestration.jobs import STAGE_JOBS
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.requests import read_requests, withdraw
from heygem_pipeline.planning.retry_and_cancel import stop_what_began_meanwhile
from heygem_pipeline.planning.run_requests import room_in_queue, run_requests, settled_requests
from heygem_pipeline.planning.start_order import start_order
from heygem_pipeline.planning.status import State, counts_in_words
from heygem_pipeline.runs.failure_reasons import INTERRUPTED, STOPPED, WORKER_LOST, reason_in
from heygem_pipeline.runs.log_file import note
from heygem_pipeline.runs.partitions import TakenIn, take_in_uploads
from heygem_pipeline.settings import Automatic, settings
from heygem_pipeline.storage.paths import data_folders
from heygem_pipeline.storage.printable_text import shown
from heygem_pipeline.uploads.registry import DIMENSIONS, UploadKind, Uploads
from heygem_pipeline.uploads.settling import Settling

SECONDS_BETWEEN_LOOKS = 5
"""Dagster's daemon looks after its sensors every 5 seconds, not more often."""

NAMES_TOLD = 10

NONE_WANTED = "No clip is wanted: bring a voice and a presenter, and check the campaigns (heygem campaign check)."


@dg.sensor(
    name="uploads",
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Gives every complete file in data/audio, data/scripts and data/templates its partition key; retires "
    "keys of files that are gone.",
)
def uploads(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Take in what is complete; remember in the cursor what is not."""
    folders = data_folders()
    register = Uploads(folders)
    for kind in UploadKind:
        if (away := register.away(kind)) is not None:
            return dg.SensorResult(skip_reason=f"{away} ({register.folder(kind)})")
        # A data folder of an earlier version has no scripts.
        if not register.folder(kind).is_dir() and (kind in DIMENSIONS or register.known(kind)):
            return dg.SensorResult(skip_reason=f"The folder {register.folder(kind)} is not there; put it back.")
    settling = Settling(json.loads(context.cursor or "{}"))
    taken_in = take_in_uploads(context.instance, folders, settling, settings().photographs_move)
    cursor, sentence = json.dumps(settling.unsettled), _sentence(taken_in, len(settling.unsettled))
    if any(result.added or result.retired for result in taken_in.values()):
        note(folders, sentence, "uploads")
    return dg.SensorResult(skip_reason=sentence, cursor=cursor)


def _sentence(taken_in: dict[UploadKind, TakenIn], unsettled: int) -> str:
    told = []
    for kind, result in taken_in.items():
        for what, keys in (("new", result.added), ("gone", result.retired)):
            if keys:
                told.append(f"{kind.value}, {what}: {_named(keys)}.")
    if unsettled:
        told.append(f"{unsettled} files are new or changed and not read yet: still growing, or there were too many.")
    told_of = {kind: result for kind, result in taken_in.items() if kind in DIMENSIONS or result.known}
    known = ", ".join(f"{len(result.known)} {kind.value}" for kind, result in told_of.items())
    return " ".join(told) or f"No change: {known}."


def _named(keys: list[str]) -> str:
    rest = f" and {len(keys) - NAMES_TOLD} more" if len(keys) > NAMES_TOLD else ""
    return ", ".join(map(shown, keys[:NAMES_TOLD])) + rest


@dg.sensor(
    name="clips",
    jobs=STAGE_JOBS,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a run for every upload to be analysed and every wanted clip that is ready, missing or stale.",
)
def clips(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Ask the planner, and fill the queue of runs up."""
    folders, chosen = data_folders(), settings()
    # Requests first: one that is made meanwhile, with what it forgives, waits for the next tick and is not withdrawn.
    requests = read_requests(folders)
    found = plan(context.instance, folders, chosen)
    withdraw(folders, settled_requests(found, requests))
    stop_what_began_meanwhile(context.instance, folders, found, requests.cancelled)
    room = room_in_queue(found, chosen.queue_length)
    if room == 0:
        return dg.SkipReason(f"{chosen.queue_length} runs wait already (HEYGEM_QUEUE_LENGTH). {counts_sentence(found)}")
    subjects = list(islice(start_order(found, requests, chosen.automatic), room))
    started = run_requests(context.instance, found, subjects, requests.clips)
    return dg.SensorResult(run_requests=started) if started else dg.SkipReason(_why_nothing(found))


def counts_sentence(found: Plan) -> str:
    """Where the clips stand, in a sentence."""
    return f"Clips: {counts_in_words(found.counts)}." if found.counts else NONE_WANTED


def _why_nothing(found: Plan) -> str:
    held_back = next((s.reason for s in found.clips.values() if s.state is State.WAITING and s.reason), None)
    if held_back is not None:
        return f"{held_back} {counts_sentence(found)}"
    if found.counts[State.READY] or found.counts[State.STALE]:
        if settings().automatic is not Automatic.CLIPS:
            why = f"Clips are not made automatically (HEYGEM_AUTOMATIC={settings().automatic.value}). "
        else:
            why = "Clips of a campaign with a schedule wait for its time. "
    elif found.counts[State.QUEUED] or found.counts[State.RUNNING]:
        why = "Everything that can be started is started. "
    else:
        why = "Nothing is to be made. "
    return why + counts_sentence(found)


@dg.sensor(
    name="webhooks",
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Calls the webhooks of campaigns whose clips are all made or have failed.",
)
def webhooks(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Tell what is finished; the planner is asked only where a campaign has somebody to tell."""
    folders, chosen = data_folders(), settings()
    campaigns = load_campaigns(folders.campaigns, default_render_spec(chosen)).usable
    if not any(campaign.webhook for campaign in campaigns):
        return dg.SkipReason("No campaign has a webhook.")
    found = plan(context.instance, folders, chosen)
    said = tell_what_is_finished(folders, found, campaigns, chosen.webhook_inside, time())
    return dg.SkipReason(" ".join(said) or "There is nothing new to tell.")


@dg.run_status_sensor(
    run_status=DagsterRunStatus.FAILURE,
    name="killed_runs",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Writes into heygem.log which runs were failed from outside: their processes were killed or vanished.",
)
def killed_runs(context: dg.RunStatusSensorContext) -> None:
    """Note a failure that the run itself did not write; recovery and the watch over workers have noted theirs."""
    event, run = context.dagster_event, context.dagster_run
    reason = reason_in(run.tags)
    was_noted = reason is not None and (reason == STOPPED or reason.code == WORKER_LOST)
    if event.event_specific_data is None and not was_noted:
        note(data_folders(), f"{INTERRUPTED} {event.message or ''}".rstrip(), "run", run, logging.ERROR)
