"""How many threads OpenCV takes for one picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_before: list[int] = []
"""Of each that asks for one thread: how many there were."""


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """For work whose stages run side by side: what OpenCV computes is the same.

    Its threads wait for the next picture by spinning, which takes the cores from the other stages.
    """
    import cv2

    with _lock:
        _before.append(cv2.getNumThreads())
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _lock:
            # Whoever ends last restores what was there before all of them.
            if len(_before) == 1:
                cv2.setNumThreads(_before[0])
                _before.clear()
            else:
                _before.pop()
