"""Named errors become Dagster failures that are told in one sentence and not tried again."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from heygem_pipeline.errors import BadInput, NotReady
from heygem_pipeline.runs.failure_reasons import failure_metadata

RETRIES = 1
"""For what may pass, such as an encoder killed for memory."""

SECONDS_BEFORE_RETRY = 5
"""No retry policy of Dagster's: it would start a step again that a person has cancelled."""


@contextmanager
def fail_or_retry() -> Iterator[None]:
    """Turn what no retry mends into a Failure with the error's sentence, code and values; try the rest once more.

    To be used within an asset.
    """
    try:
        yield
    except (BadInput, NotReady) as error:
        # A line of its own: the page shows a failure's sentence above its whole stack.
        dg.get_dagster_logger().error(str(error))
        raise dg.Failure(str(error), failure_metadata(error), allow_retries=False) from error
    except (dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        if is_cancelled():
            # Being told to stop can show as any error: an import broken off becomes an ImportError.
            raise dg.DagsterExecutionInterruptedError from error
        raise dg.RetryRequested(RETRIES, SECONDS_BEFORE_RETRY) from error


def is_cancelled() -> bool:
    """Whether somebody has told the run to stop that this step belongs to."""
    context = dg.AssetExecutionContext.get()
    run = context.instance.get_run_by_id(context.run.run_id)
    return run is not None and run.status is dg.DagsterRunStatus.CANCELING
