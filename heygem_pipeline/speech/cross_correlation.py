"""How well predicted and tracked mouth movement agree when one is shifted against the other."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE

FEWEST_PAIRS = 20
"""Under this many pairs a correlation says nothing."""

DIFFERENCE_SECONDS = 0.04
"""Over about this time changes are taken (one frame of 25 a second): over less, noise of the landmarks outweighs
them."""


def correlation_at_lags(
    predicted: NDArray[np.floating],
    measured: NDArray[np.floating],
    times: NDArray[np.floating],
    lags: NDArray[np.floating],
    differences: bool = True,
) -> NDArray[np.float64]:
    """Return the correlation of ``measured`` with ``predicted`` taken later by each lag.

    Args:
        predicted: (rows,), from the sound, row k at k/80 s.
        measured: (frames,), from the picture, NaN where there is no face.
        times: (frames,), ascending seconds, with leaps between pieces of a clip.
        lags: (n,), seconds; positive = the sound comes later than the mouth.
        differences: correlate what changes in 40 ms, which tells lags apart better than the curves themselves.

    Returns:
        Float64 (n,), -1..1; 0 where too few frames overlap or nothing moves.
    """
    rows = np.arange(len(predicted)) / FEATURE_RATE
    step, together = _neighbours(times)
    result = np.zeros(len(lags))
    for index, lag in enumerate(lags):
        at = times + lag
        expected = np.interp(at, rows, predicted)
        expected[(at < 0) | (at > rows[-1])] = np.nan
        pair = np.stack([expected, measured])
        if differences:
            pair = (pair[:, step:] - pair[:, :-step])[:, together]
        result[index] = correlation(*pair[:, np.isfinite(pair).all(axis=0)])
    return result


def correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Pearson's correlation, 0 for constants and for under 20 values."""
    if len(first) < FEWEST_PAIRS:
        return 0.0
    first, second = first - first.mean(), second - second.mean()
    power = float(first @ first) * float(second @ second)
    return float(first @ second) / power**0.5 if power > 1e-12 else 0.0


def _neighbours(times: NDArray[np.floating]) -> tuple[int, NDArray[np.bool_]]:
    """How many frames DIFFERENCE_SECONDS are, and which pairs of frames so far apart have no leap in time between
    them."""
    if len(times) < FEWEST_PAIRS:
        return 1, np.zeros(max(0, len(times) - 1), np.bool_)
    usual = float(np.median(np.diff(times)))
    step = max(1, round(DIFFERENCE_SECONDS / usual))
    return step, times[step:] - times[:-step] < (step + 0.5) * usual
