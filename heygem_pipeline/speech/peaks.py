"""Peaks of a curve: those that stand out, no two of them near each other."""

import numpy as np
from numpy.typing import NDArray

NEAR_ROWS = 64


def find_peaks(curve: NDArray[np.floating], apart: int, prominence: float) -> NDArray[np.int64]:
    """Return the rows of the peaks of a curve, ascending. A flat top counts as a peak in its middle.

    What ``scipy.signal.find_peaks`` finds by distance and prominence; importing that costs more than a clip's speech.

    Args:
        apart: rows between two peaks at least; of nearer ones the higher stays.
        prominence: how far a peak rises at least above the higher of the two valleys that part it from higher ground.
    """
    peaks = _local_maxima(curve)
    peaks = peaks[_highest_apart(peaks, curve[peaks], apart)]
    return peaks[[_prominence(curve, int(peak)) >= prominence for peak in peaks]] if len(peaks) else peaks


def _local_maxima(curve: NDArray[np.floating]) -> NDArray[np.int64]:
    starts = np.flatnonzero(np.r_[True, curve[1:] != curve[:-1]]) if len(curve) else np.empty(0, np.int64)
    level, ends = curve[starts], np.r_[starts[1:], len(curve)]
    top = np.flatnonzero((level[1:-1] > level[:-2]) & (level[1:-1] > level[2:])) + 1
    return (starts[top] + ends[top] - 1) // 2


def _highest_apart(peaks: NDArray[np.int64], heights: NDArray[np.floating], apart: int) -> NDArray[np.bool_]:
    kept = np.ones(len(peaks), bool)
    for place in np.argsort(heights)[::-1]:
        if kept[place]:
            kept &= (np.abs(peaks - peaks[place]) >= apart) | (np.arange(len(peaks)) == place)
    return kept


def _prominence(curve: NDArray[np.floating], peak: int) -> float:
    return float(curve[peak] - max(_valley(curve[peak::-1]), _valley(curve[peak:])))


def _valley(side: NDArray[np.floating]) -> float:
    """The lowest place before the curve rises above where it begins."""
    reach = NEAR_ROWS
    # Higher ground is mostly near: the whole of an hour's curve is not looked at for each of its peaks.
    while True:
        higher = np.flatnonzero(side[:reach] > side[0])
        if len(higher):
            return float(side[: higher[0]].min())
        if reach >= len(side):
            return float(side.min())
        reach *= 4
