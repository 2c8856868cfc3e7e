"""Lips that touch for a moment inside speech, as m, b and p make them: found in measured mouths, made in motion.

They are what people notice first, and what a regression smooths away. Where an engine that speaks tells when each sound
is said, they are known for certain.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.speech.features import FEATURE_RATE, KnownClosure
from heygem_pipeline.speech.peaks import find_peaks

CLOSED_PERCENTILE, OPEN_PERCENTILE = 5, 90
"""Of a speaker's gaps: the closed and the wide mouth."""
CLOSED_GAP_SHARE, OPEN_GAP_SHARE = 0.15, 0.45
"""Of the way from closed to wide: up to the first the mouth is closed, from the second on clearly open."""
LONGEST_SECONDS, OPEN_WITHIN_SECONDS = 0.28, 0.24
"""Lips together for longer rest; a closure has an open mouth within the second on either side."""

TOLERANCE_ROWS = 4
"""50 ms by which a closure may come early or late: a frame, and a bit for what is not known of the clip's lag."""

CLOSED_LIPS = np.array([0.0, np.inf, 0.23, 0.2, -0.1])
"""Gap, width, jaw, lower and upper lip (standard units) at a closure: means of the 403 closures found in the addresses
and GRID clips trained on. The jaw stays a quarter open, the upper lip comes down below its rest. inf: left as it is."""

LIP_AT_TEETH = np.array([0.15, np.inf, 0.23, 0.2, 0.15])
"""Likewise for f and v: the lower lip as high as at a closure, the upper one clear of it, as far apart as the mouth is
still taken for closed (CLOSED_GAP_SHARE). Not measured: no recording told when they are said."""

APART_ROWS = 6
"""Between closures at least."""
LEAST_PROMINENCE = 0.3
"""Log-odds a peak stands above its surroundings."""
SHORTEST_HELD_ROWS, LONGEST_HELD_ROWS = 1, 5
"""On each side of a peak the lips touch for at least 12 and at most 62 ms; measured closures last 75 to 125 ms
(quartiles), the mouth half closed among it."""
HELD_FALL = 0.4
"""They touch where the log-odds are less than so far below the peak."""
APPROACH_ROWS = 6
"""75 ms to close, and as much to open again: measured mouths take 60 to 100 ms either way."""
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
    steady = _steadied(log_odds)
    peaks = find_peaks(steady, APART_ROWS, LEAST_PROMINENCE)
    return peaks, steady[peaks]


def _steadied(log_odds: NDArray[np.floating]) -> NDArray[np.float64]:
    margin = len(_WINDOW) // 2
    return np.convolve(np.pad(log_odds, margin, mode="edge"), _WINDOW / _WINDOW.sum(), mode="valid")


def peak_heights(closures: list[int], log_odds: NDArray[np.floating]) -> list[float]:
    """The height of the highest peak near each closure, -inf where there is none."""
    peaks, heights = closure_peaks(log_odds)
    return [float(heights[np.abs(peaks - row) <= TOLERANCE_ROWS].max(initial=-np.inf)) for row in closures]


def closure_strength(log_odds: NDArray[np.floating], nearer: float, touching: float) -> NDArray[np.float64]:
    """Return how far the lips are brought together, float64 (rows,), 0 = not at all, 1 = they touch.

    Around each peak of the log-odds that reaches ``touching`` they touch, the longer the broader the peak is; peaks
    between ``nearer`` and ``touching`` bring them part of the way. Either way they need 75 ms to come there.
    """
    together = np.zeros(len(log_odds))
    steady = _steadied(log_odds)
    for row, height in zip(*closure_peaks(log_odds), strict=True):
        strength = float(np.clip((height - nearer) / max(touching - nearer, 1e-6), 0, 1))
        held = steady > height - HELD_FALL
        before, after = _held_rows(held[row::-1]), _held_rows(held[row:])
        _bring_together(together, row - before, row + after, strength)
    return together


def known_strength(known: Sequence[KnownClosure], count: int, touching: bool = True) -> NDArray[np.float64]:
    """As ``closure_strength``, (count,), of the closures that are known: those that touch, or those at the teeth."""
    together = np.zeros(count)
    for one in known:
        if one.touching == touching:
            middle = (one.begin + one.end) / 2 * FEATURE_RATE
            half = np.clip((one.end - one.begin) / 2 * FEATURE_RATE, SHORTEST_HELD_ROWS, LONGEST_HELD_ROWS)
            _bring_together(together, round(middle - half), round(middle + half), 1.0)
    return together


def _bring_together(together: NDArray[np.float64], first: int, last: int, strength: float) -> None:
    """Hold the lips together between two rows, after 75 ms in which they come, and before 75 ms in which they go."""
    reach = slice(max(0, first - APPROACH_ROWS), max(0, last + APPROACH_ROWS + 1))
    rows = np.arange(len(together))[reach]
    away = np.maximum(first - rows, rows - last).astype(np.float64)
    together[reach] = np.maximum(together[reach], strength * (1 - smoothstep(0, APPROACH_ROWS + 1, away)))


def _held_rows(held: NDArray[np.bool_]) -> int:
    """How far from its first row ``held`` holds, within bounds."""
    end = int(np.argmin(held)) if not held.all() else len(held)
    return int(np.clip(end - 1, SHORTEST_HELD_ROWS, LONGEST_HELD_ROWS))


def close_lips(
    motion: NDArray[np.floating], together: NDArray[np.floating], closed_lips: NDArray[np.floating] = CLOSED_LIPS
) -> NDArray[np.float64]:
    """The motion (rows, channels), standard units, with its lips brought together; what is more closed already stays.

    Channels after the first five are left as they are.
    """
    closed = motion.copy().astype(np.float64)
    lips = motion[:, : len(closed_lips)]
    closed[:, : len(closed_lips)] += together[:, None] * (np.minimum(lips, closed_lips) - lips)
    return closed
