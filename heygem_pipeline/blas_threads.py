"""How many threads matrices are multiplied with."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_alone = RLock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """For what shall be the same on every machine: the order of sums, and so the last bits, hang on the number.

    It holds for the whole process, so that one waits for the other.
    """
    from threadpoolctl import threadpool_limits

    with _alone, threadpool_limits(1, "blas"):
        yield
