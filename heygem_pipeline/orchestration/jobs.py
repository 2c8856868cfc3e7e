"""What can be launched from the page besides backfills of the assets."""

from collections import Counter

import dagster as dg
from pydantic import Field

from heygem_pipeline.errors import UploadMissing
from heygem_pipeline.operations.retention import prune
from heygem_pipeline.orchestration.previews import preview_job
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.retry_and_cancel import clips_of_campaign, make_missing_now, try_again
from heygem_pipeline.planning.status import State, counts_in_words
from heygem_pipeline.runs.dagster_internals import UnresolvedAssetJobDefinition
from heygem_pipeline.runs.failure_reasons import CANCELLED
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.runs.stages import JOB_OF_STAGE, STAGE_OF_ASSET, Stage
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import data_folders


@dg.op
def take_in(context: dg.OpExecutionContext) -> None:
    """Give every file in data/audio, data/scripts and data/templates its partition key."""
    for kind, result in take_in_uploads(
        context.instance, data_folders(), photographs_move=settings().photographs_move
    ).items():
        context.log.info(
            f"{kind.value}: {len(result.known)} files, new: {', '.join(result.added) or 'none'}, "
            f"gone: {', '.join(result.retired) or 'none'}"
        )


@dg.job(executor_def=dg.in_process_executor)
def ingest() -> None:
    """Take in the files of data/audio, data/scripts and data/templates; a backfill over all assets then makes clips."""
    take_in()


@dg.op
def remove_what_is_not_kept(context: dg.OpExecutionContext) -> None:
    """Remove what is no longer needed, and log what went."""
    pruned = prune(context.instance, data_folders(), settings())
    for kind in pruned:
        context.log.info(f"Removed: {kind}")
    if not pruned:
        context.log.info("Nothing was to be removed.")


@dg.job(name="prune", executor_def=dg.in_process_executor)
def prune_job() -> None:
    """Remove what is no longer needed: mouth patches, ended runs, what is left of uploads that are gone."""
    remove_what_is_not_kept()


class Wanted(dg.Config):
    """What the launchpad asks."""

    campaign: str = Field("", description="Only what this campaign wants: its name, title or file; else all clips.")
    failed: bool = Field(True, description="Have what failed tried again too.")


@dg.op
def ask_for_wanted(context: dg.OpExecutionContext, config: Wanted) -> None:
    """Ask for clips, as ``heygem batch`` and ``heygem retry`` do, and log how many were asked for."""
    folders = data_folders()
    found = plan(context.instance, folders, settings())
    try:
        clips = clips_of_campaign(found, config.campaign or None)
    except UploadMissing as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    stand = Counter(found.clips[clip].state for clip in clips)
    failed = [clip for clip in clips if found.clips[clip].state is State.FAILED]
    # What somebody cancelled was not wanted.
    failed = [clip for clip in failed if found.clips[clip].reason != CANCELLED]
    again = try_again(folders, found, failed) if config.failed else []
    missing = make_missing_now(folders, found, clips)
    context.log.info(
        f"Of {len(clips)} wanted clips ({counts_in_words(stand)}), {len(missing)} missing or out of date and "
        f"{len(again)} failed ones are asked for; the sensor clips starts them."
    )


@dg.job(executor_def=dg.in_process_executor)
def make_wanted() -> None:
    """Make every clip that a campaign wants and that is missing, out of date or failed, and no other.

    A backfill over missing partitions makes every pair, whether anybody wants it or not.
    """
    ask_for_wanted()


def _job(stage: Stage, description: str) -> UnresolvedAssetJobDefinition:
    assets = [asset for asset, its_stage in STAGE_OF_ASSET.items() if its_stage is stage]
    # Names given as text go through the parser of selections, which takes 0.15 s to load.
    return dg.define_asset_job(JOB_OF_STAGE[stage], dg.AssetSelection.assets(*assets), description=description)


make_clip = _job(Stage.CLIP, "One clip of a voice and a presenter that are analysed.")

STAGE_JOBS = [
    _job(Stage.VOICE, "What is computed once a voice."),
    _job(Stage.PRESENTER, "What is computed once a presenter."),
    make_clip,
    _job(Stage.DELIVERY, "The ZIP of a voice's wanted clips."),
]
"""One partition a run; the list of runs shows these names."""

JOBS = [ingest, make_wanted, *STAGE_JOBS, preview_job, prune_job]
