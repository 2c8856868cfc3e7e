"""Lips that touch for a moment inside speech, as m, b and p make them: found in measured mouths, made in motion.

They are what people notice first, and what a regression smooths away.
"""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.speech.peaks import find_peaks

CLOSED_PERCENTILE, OPEN_PERCENTILE = 5, 90
"""Of a speaker's gaps: the closed and the wide mouth."""
CLOSED_GAP_SHARE, OPEN_GAP_SHARE = 0.15, 0.45
"""Of the way from closed to wide: up to the first the mouth is closed, from the second on clearly open."""
LONGEST_SECONDS, OPEN_WITHIN_SECONDS = 0.28, 0.24
"""Lips together for longer rest; a closure has an open mouth within the second on either side."""

TOLERANCE_ROWS = 4
"""50 ms by which a closure may come early or late: a frame, and a bit for what is not known of the clip's lag."""

CLOSED_LIPS = np.array([0.0, np.inf, 0.25, 0.2, -0.15])
"""Gap, width, jaw, lower and upper lip (standard units) at a closure: means of the 259 closures found in the addresses
and GRID clips trained on. The jaw stays a quarter open, the upper lip comes down below its rest. inf: left as it is."""

APART_ROWS = 6
"""Between closures at least."""
LEAST_PROMINENCE = 0.3
"""Log-odds a peak stands above its surroundings."""
HELD_ROWS, APPROACH_ROWS = 1, 4
"""Lips touch for 40 ms, half way closed for 90 ms; measured ones are half way closed for about 100 ms."""
_WINDOW = np.hanning(11)[1:-1]


def closed_and_open(gap: NDArray[np.floating]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether a speaker's mouth is closed, and whether it is clearly open, (rows,) each.

    Args:
        gap: as in find_closures.
    """
    closed, wide = np.nanpercentile(gap, (CLOSED_PERCENTILE, OPEN_PERCENTILE))
    return gap <= closed + CLOSED_GAP_SHARE * (wide - closed), gap >= closed + OPEN_GAP_SHARE * (wide - closed)


def find_closures(gap: NDArray[np.floating], spoken: NDArray[np.bool_]) -> list[int]:
    """Return the rows in the middle of each closure.

    Args:
        gap: (rows,) at the feature rate, measured frame by frame without smoothing over time, any unit, NaN where
            unknown.
        spoken: (rows,), whether somebody speaks.
    """
    if np.isfinite(gap).sum() < FEATURE_RATE:
        return []
    shut, clearly_open = closed_and_open(gap)
    reach = round(OPEN_WITHIN_SECONDS * FEATURE_RATE)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shut, [False]]).astype(int)))
    middles = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        middle = int(start + stop - 1) // 2
        between = clearly_open[max(0, start - reach) : start].any() and clearly_open[stop : stop + reach].any()
        if between and stop - start <= LONGEST_SECONDS * FEATURE_RATE and spoken[middle]:
            middles.append(middle)
    return middles


def closure_peaks(log_odds: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows at which the log-odds of touching lips peak, and how high."""
    margin = len(_WINDOW) // 2
    steady = np.convolve(np.pad(log_odds, margin, mode="edge"), _WINDOW / _WINDOW.sum(), mode="valid")
    peaks = find_peaks(steady, APART_ROWS, LEAST_PROMINENCE)
    return peaks, steady[peaks]


def peak_heights(closures: list[int], log_odds: NDArray[np.floating]) -> list[float]:
    """The height of the highest peak near each closure, -inf where there is none."""
    peaks, heights = closure_peaks(log_odds)
    return [float(heights[np.abs(peaks - row) <= TOLERANCE_ROWS].max(initial=-np.inf)) for row in closures]


def closure_strength(log_odds: NDArray[np.floating], nearer: float, touching: float) -> NDArray[np.float64]:
    """Return how far the lips are brought together, float64 (rows,), 0 = not at all, 1 = they touch.

    Around each peak of the log-odds that reaches ``touching`` they touch for 40 ms; peaks between ``nearer`` and
    ``touching`` bring them part of the way.
    """
    together = np.zeros(len(log_odds))
    reach = HELD_ROWS + APPROACH_ROWS
    profile = 1 - smoothstep(HELD_ROWS, reach + 1, np.abs(np.arange(-reach, reach + 1)))
    padded = np.zeros(len(log_odds) + 2 * reach)
    for row, height in zip(*closure_peaks(log_odds), strict=True):
        strength = np.clip((height - nearer) / max(touching - nearer, 1e-6), 0, 1)
        around = slice(row, row + 2 * reach + 1)
        padded[around] = np.maximum(padded[around], strength * profile)
    together[:] = padded[reach : reach + len(log_odds)]
    return together


def close_lips(motion: NDArray[np.floating], together: NDArray[np.floating]) -> NDArray[np.float64]:
    """The motion (rows, 5), standard units, with its lips brought together; what is more closed already stays."""
    return motion + together[:, None] * (np.minimum(motion, CLOSED_LIPS) - motion)
