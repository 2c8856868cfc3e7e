"""Frames in lists that a network draws at once."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar


class FrameOfBatch(Protocol):
    """One output frame."""

    @property
    def place(self) -> object | None:
        """Where a face is to be drawn; None where the presenter's frame stays as it is."""
        ...


Frame = TypeVar("Frame", bound=FrameOfBatch)


def in_batches(frames: Iterable[Frame], size: Callable[[], int]) -> Iterator[list[Frame]]:
    """Yield the frames in lists of up to ``size()`` that need a face; the others wait with them, and weigh nothing."""
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        if sum(one.place is not None for one in batch) == size() or len(batch) == 4 * size():
            yield batch
            batch = []
    if batch:
        yield batch
