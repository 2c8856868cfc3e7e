"""Named errors become Dagster failures that are told in one sentence and not tried again."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from heygem_pipeline.errors import BadInput, NotReady

RETRY = dg.RetryPolicy(max_retries=1, delay=5)
"""For what may pass, such as an encoder killed for memory."""


@contextmanager
def plain_failures() -> Iterator[None]:
    """Turn what no retry mends into a Failure whose description is the error's sentence."""
    try:
        yield
    except (BadInput, NotReady) as error:
        # A line of its own: the page shows a failure's sentence above its whole stack.
        dg.get_dagster_logger().error(str(error))
        metadata = {"error": type(error).__name__}
        raise dg.Failure(description=str(error), metadata=metadata, allow_retries=False) from error
