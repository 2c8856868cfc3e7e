"""What can be launched from the page besides backfills of the assets."""

import dagster as dg

from heygem_pipeline.operations.retention import prune
from heygem_pipeline.orchestration.previews import preview_job
from heygem_pipeline.runs.dagster_internals import UnresolvedAssetJobDefinition
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.runs.stages import JOB_OF_STAGE, STAGE_OF_ASSET, Stage
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.folders import data_folders


@dg.op
def take_in(context: dg.OpExecutionContext) -> None:
    """Give every file in data/audio, data/scripts and data/templates its partition key."""
    for kind, result in take_in_uploads(context.instance, data_folders()).items():
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

JOBS = [ingest, *STAGE_JOBS, preview_job, prune_job]
