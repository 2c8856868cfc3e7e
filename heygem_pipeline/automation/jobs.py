"""What can be launched from the page besides backfills of the assets."""

import dagster as dg

from heygem_pipeline.automation.ingest import take_in_uploads


@dg.op
def take_in(context: dg.OpExecutionContext) -> None:
    """Give every file in data/audio and data/templates its partition key."""
    for kind, result in take_in_uploads(context.instance).items():
        context.log.info(
            f"{kind.value}: {len(result.known)} files, new: {', '.join(result.added) or 'none'}, "
            f"gone: {', '.join(result.retired) or 'none'}"
        )


@dg.job(executor_def=dg.in_process_executor)
def ingest() -> None:
    """Take in the files of data/audio and data/templates; afterwards a backfill over all assets makes every clip."""
    take_in()


JOBS = [ingest]
