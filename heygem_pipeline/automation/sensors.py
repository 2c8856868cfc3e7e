"""The sensor that starts what is to be made."""

from itertools import islice

import dagster as dg

from heygem_pipeline.automation.jobs import STAGE_JOBS
from heygem_pipeline.automation.launching import room_in_queue, run_requests, settled_requests, to_start
from heygem_pipeline.automation.planner import Plan, plan
from heygem_pipeline.automation.requests import read_requests, withdraw
from heygem_pipeline.automation.standing import Stand
from heygem_pipeline.settings import Automatic, settings
from heygem_pipeline.storage.folders import data_folders

NONE_WANTED = "No clip is wanted: it takes a voice and a presenter, and campaigns in order (heygem campaign check)."


@dg.sensor(
    name="clips",
    jobs=STAGE_JOBS,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a run for every upload to be analysed and every wanted clip that is ready, missing or stale.",
)
def clips(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Ask the planner, and fill the queue of runs up."""
    folders = data_folders()
    # Requests first: one that is made meanwhile, with what it forgives, waits for the next tick and is not withdrawn.
    requests = read_requests(folders)
    found = plan(context.instance, folders)
    withdraw(folders, settled_requests(found, requests))
    room = room_in_queue(found)
    if room == 0:
        return dg.SkipReason(f"{settings().queue_length} runs wait already (HEYGEM_QUEUE_LENGTH). {told(found)}")
    subjects = list(islice(to_start(found, requests), room))
    started = run_requests(context.instance, found, subjects, requests.clips)
    return dg.SensorResult(run_requests=started) if started else dg.SkipReason(_why_nothing(found))


def told(found: Plan) -> str:
    """Where the clips stand, in a sentence."""
    counts = [f"{found.counts[stand]} {stand.value}" for stand in Stand if found.counts[stand]]
    return f"Clips: {', '.join(counts)}." if counts else NONE_WANTED


def _why_nothing(found: Plan) -> str:
    held_back = next((s.sentence for s in found.clips.values() if s.stand is Stand.WAITING and s.sentence), None)
    if held_back is not None:
        return f"{held_back} {told(found)}"
    if found.counts[Stand.READY] or found.counts[Stand.STALE]:
        if settings().automatic is not Automatic.CLIPS:
            why = f"Clips are not made by themselves (HEYGEM_AUTOMATIC={settings().automatic.value}). "
        else:
            why = "Clips of a campaign with a schedule wait for its time. "
    elif found.counts[Stand.QUEUED] or found.counts[Stand.RUNNING]:
        why = "All that can be started is. "
    else:
        why = "Nothing is to be made. "
    return why + told(found)
