"""Smoothing in time that keeps peaks: Savitzky-Golay, run by run of present frames."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.filters import savitzky_golay_filter


def present_runs(present: NDArray[np.bool_], cuts: Sequence[int] = ()) -> Iterator[slice]:
    """Yield the stretches of present frames; a stretch never reaches across a cut (the first frame of a new shot)."""
    edges = set(cuts)
    start: int | None = None
    for index, here in enumerate(present):
        if start is not None and (not here or index in edges):
            yield slice(start, index)
            start = None
        if here and start is None:
            start = index
    if start is not None:
        yield slice(start, len(present))


def window_length(seconds: float, frame_rate: Fraction) -> int:
    """Return the odd number of frames nearest to ``seconds``, so that 60 frames a second are smoothed as long as 25."""
    return 2 * round((seconds * float(frame_rate) - 1) / 2) + 1


def savitzky_golay(
    values: NDArray[np.floating], present: NDArray[np.bool_], window: int, order: int = 2, cuts: Sequence[int] = ()
) -> NDArray[np.float64]:
    """Smooth ``values`` (frames, ...) along time within each run of ``present`` frames; absent rows come out as NaN.

    A run shorter than the window takes the longest odd window that fits; one of ``order + 1`` frames or fewer is left
    as it is.

    Args:
        window: frames, odd.
    """
    smooth = np.full(values.shape, np.nan)
    for run in present_runs(present, cuts):
        length = run.stop - run.start
        fitting = min(window, length if length % 2 else length - 1)
        stretch = values[run].astype(np.float64)
        smooth[run] = savitzky_golay_filter(stretch, fitting, order) if fitting > order else stretch
    return smooth


def fill_short_gaps(
    values: NDArray[np.floating], found: NDArray[np.bool_], longest: int, cuts: Sequence[int] = ()
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Interpolate ``values`` (frames, ...) linearly over gaps of at most ``longest`` frames between found ones.

    Returns the filled copy and which frames now hold values. Gaps at either end, or with a cut inside, stay open.
    """
    filled = values.astype(np.float64)
    present = found.copy()
    known = np.flatnonzero(found)
    for before, after in pairwise(known):
        gap = after - before - 1
        if not 0 < gap <= longest or any(before < cut <= after for cut in cuts):
            continue
        for index in range(before + 1, after):
            share = (index - before) / (after - before)
            filled[index] = (1 - share) * filled[before] + share * filled[after]
            present[index] = True
    return filled, present
