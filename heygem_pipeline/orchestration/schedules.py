"""A schedule for every campaign with a cron line."""

import re
from collections import Counter

import dagster as dg

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.campaigns.campaigns_folder import load_campaigns
from heygem_pipeline.clip.render_spec import RenderSpec
from heygem_pipeline.orchestration.jobs import make_clip, prune_job
from heygem_pipeline.planning.failed_inputs import failed_subjects
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.requests import ask_for, forgive
from heygem_pipeline.planning.run_requests import room_in_queue, run_requests
from heygem_pipeline.planning.start_order import is_made_by_itself
from heygem_pipeline.planning.status import State, counts_in_words
from heygem_pipeline.runs.log_file import note
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.fingerprint import text_digest
from heygem_pipeline.storage.paths import DataFolders, data_folders


def campaign_schedules(folders: DataFolders, usual: RenderSpec) -> list[dg.ScheduleDefinition]:
    """The schedules of the campaigns that are there now. The daemon reads them anew every minute."""
    return [_schedule(campaign) for campaign in load_campaigns(folders.campaigns, usual).usable if campaign.schedule]


def schedule_name(campaign: Campaign) -> str:
    """A name Dagster accepts, A to Z, digits and "_", that differs where the campaigns' names do."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", campaign.name)
    if plain == campaign.name:
        return f"campaign_{plain}"
    return f"campaign_{plain}_{text_digest(campaign.name, 8)}"


def _schedule(campaign: Campaign) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=schedule_name(campaign),
        cron_schedule=campaign.schedule or "",
        execution_timezone=campaign.timezone,
        target=make_clip,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{campaign.title}: starts the clips that are missing, stale or failed.",
    )
    def launch(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        launched = launch_campaign(context.instance, campaign.file, str(context.scheduled_execution_time))
        note(
            data_folders(),
            f"{len(launched)} runs asked for." if isinstance(launched, list) else launched.skip_message or "",
            campaign.file,
        )
        return launched

    return launch


def launch_campaign(instance: dg.DagsterInstance, file: str, tick: str = "now") -> list[dg.RunRequest] | dg.SkipReason:
    """Start what the campaign lacks; what the queue has no room for, the sensor ``clips`` starts later.

    Args:
        tick: its time, so that no tick launches twice.
    """
    chosen, folders = settings(), data_folders()
    found = plan(instance, folders, chosen)
    mine = {
        clip: status
        for clip, status in found.clips.items()
        if any(campaign.file == file for campaign in found.wanting[clip])
    }
    if not mine:
        return dg.SkipReason(f"{file} wants no clip: heygem campaign check {file} says why.")
    failed = [clip for clip, status in mine.items() if status.state is State.FAILED]
    forgive(folders, {what for clip in failed for what in failed_subjects(found, clip)})
    here = [clip for clip in mine if not is_made_by_itself(found.wanting[clip], chosen.automatic)]
    startable = [clip.partition for clip in here if mine[clip].to_be_made]
    room = room_in_queue(found, chosen.queue_length)
    later = [clip.partition for clip in here if mine[clip].state in (State.FAILED, State.WAITING)]
    ask_for(folders, [*startable[room:], *later])
    started = run_requests(instance, found, [Subject(Stage.CLIP, key) for key in startable[:room]], startable, tick)
    if started:
        return started
    said = counts_in_words(Counter(status.state for status in mine.values()))
    if failed or startable[room:] or later:
        return dg.SkipReason(f"Nothing can start this moment; the sensor clips starts it when it can. {file}: {said}.")
    return dg.SkipReason(f"There is nothing to start. {file}: {said}.")


NIGHTLY = "40 3 * * *"
"""UTC."""

prune_schedule = dg.ScheduleDefinition(
    name="prune",
    job=prune_job,
    cron_schedule=NIGHTLY,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Removes every night what the settings HEYGEM_KEEP_... do not keep; by hand: heygem prune.",
)
