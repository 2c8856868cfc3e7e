from threading import Event, Thread

import numpy as np
from threadpoolctl import threadpool_info

from heygem_pipeline.blas_threads import one_blas_thread


def _threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_it_holds_in_every_thread_and_ends_with_it() -> None:
    assert np.ones(2) @ np.ones(2) == 2  # the library is there
    seen: list[set[int]] = []
    begun = Event()

    def beside() -> None:
        begun.set()
        with one_blas_thread():
            seen.append(_threads())

    other = Thread(target=beside)
    with one_blas_thread():
        other.start()
        begun.wait(60)
        with one_blas_thread():
            assert _threads() == {1}
        assert _threads() == {1}
    other.join()
    assert seen == [{1}]
