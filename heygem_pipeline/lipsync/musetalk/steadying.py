"""Lips that tremble are steadied: a drawn face is mixed with its neighbours, in the box that moves with it."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Drawn = NDArray[np.float32]
Frame = TypeVar("Frame")


def steady(
    drawn: Iterable[tuple[Frame, Drawn | None]], share: float, follows: Callable[[Frame, Frame], bool]
) -> Iterator[tuple[Frame, Drawn | None]]:
    """Yield the same frames with steadier faces, one later than they come.

    Args:
        share: 0 = as they are .. 1 = the mean of a face and its two neighbours. What differs from frame to frame by
            chance shrinks to sqrt((1 - 2/3 share)^2 + 2/9 share^2) of it; what moves slowly is hardly touched.
        follows: whether the second frame shows the same face as the first, just after it.
    """
    if share <= 0:
        yield from drawn
        return
    before: tuple[Frame, Drawn | None] | None = None
    now: tuple[Frame, Drawn | None] | None = None
    for after in drawn:
        if now is not None:
            yield _mixed(before, now, after, share, follows)
        before, now = now, after
    if now is not None:
        yield _mixed(before, now, None, share, follows)


def _mixed(
    before: tuple[Frame, Drawn | None] | None,
    now: tuple[Frame, Drawn | None],
    after: tuple[Frame, Drawn | None] | None,
    share: float,
    follows: Callable[[Frame, Frame], bool],
) -> tuple[Frame, Drawn | None]:
    frame, face = now
    if face is None:
        return now
    earlier = before[1] if before is not None and follows(before[0], frame) else None
    later = after[1] if after is not None and follows(frame, after[0]) else None
    # With one neighbour alone the mouth would be drawn late or early.
    if earlier is None or later is None:
        return now
    mixed = face + np.float32(share / 3) * (earlier - face + (later - face))
    return frame, mixed.astype(np.float32, copy=False)
