"""Filters along the first axis and splines, as scipy has them: importing it costs most of a second in every process."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def convolve(values: Values, weights: Values) -> Values:
    """Weigh each value with its neighbours; beyond the ends, the first and the last one are repeated.

    As ``scipy.ndimage.convolve1d`` with mode "nearest".

    Args:
        weights: of an odd number, the same from either end.
    """
    reach = len(weights) // 2
    return _weighed(_extended(values, reach, reach), weights)


def sliding_mean(values: Values, size: int) -> Values:
    """Mean of ``size`` values around each, the ends repeated: ``scipy.ndimage.uniform_filter1d``, mode "nearest"."""
    extended = _extended(values, size // 2, size - 1 - size // 2)
    first = np.cumsum(extended[:size], axis=0)[-1:]
    moved = extended[size:] - extended[:-size]
    return np.cumsum(np.concatenate([first, moved]), axis=0) / size


def sliding_maximum(values: Values, size: int) -> Values:
    """Largest of ``size`` values around each: ``scipy.ndimage.maximum_filter1d``, mode "nearest"."""
    extended = _extended(values, size // 2, size - 1 - size // 2)
    return np.lib.stride_tricks.sliding_window_view(extended, size, axis=0).max(axis=-1)


def savitzky_golay_filter(values: Values, window: int, order: int) -> Values:
    """Fit a polynomial to the window around each value, and take its middle: ``scipy.signal.savgol_filter``.

    Half a window from the ends, the polynomial of the first and of the last whole window is taken.

    Args:
        values: (n, ...), at least a window of them.
        window: an odd number, more than ``order``.
    """
    half = window // 2
    powers = np.arange(half, -half - 1, -1.0) ** np.arange(order + 1.0)[:, None]
    weights = np.linalg.lstsq(powers, np.eye(order + 1)[0])[0]
    smooth = np.empty(values.shape)
    smooth[half : len(values) - half] = _weighed(values, weights)
    place = np.arange(float(window))[:, None]
    for stretch, ends in ((slice(0, window), slice(0, half)), (slice(-window, None), slice(window - half, None))):
        polynomial = np.polyfit(place[:, 0], values[stretch].reshape(window, -1), order)
        fitted = np.polyval(polynomial, place[ends])
        smooth[stretch][ends] = fitted.reshape(half, *values.shape[1:])
    return smooth


def natural_cubic(knots: NDArray[np.floating], places: NDArray[np.floating]) -> Values:
    """Return the matrix (places, knots) that turns values at the knots into those of the natural spline through them.

    As ``scipy.interpolate.CubicSpline`` with ``bc_type="natural"``.

    Args:
        knots: ascending, at least three.
        places: from the first knot to the last.
    """
    step = np.diff(knots)
    count = len(knots)
    bend, slope = np.zeros((count, count)), np.zeros((count, count))
    # Second derivatives, 0 at both ends: each side of a knot is bent alike.
    bend[0, 0] = bend[-1, -1] = 1
    for knot in range(1, count - 1):
        left, right = step[knot - 1], step[knot]
        bend[knot, knot - 1 : knot + 2] = left, 2 * (left + right), right
        slope[knot, knot - 1 : knot + 2] = 6 / left, -6 / left - 6 / right, 6 / right
    second = np.linalg.solve(bend, slope)
    piece = np.clip(np.searchsorted(knots, places, side="right") - 1, 0, count - 2)
    width, values = step[piece][:, None], np.eye(count)
    here = ((places - knots[piece]) / step[piece])[:, None]
    there = 1 - here
    bent = (there**3 - there) * second[piece] + (here**3 - here) * second[piece + 1]
    return there * values[piece] + here * values[piece + 1] + bent * width**2 / 6


def _extended(values: Values, before: int, after: int) -> Values:
    edges = np.repeat(values[:1], before, axis=0), np.repeat(values[-1:], after, axis=0)
    return np.concatenate([edges[0], values, edges[1]])


def _weighed(values: Values, weights: Values) -> Values:
    """Where the whole window lies within the values; pairs first, as scipy adds them where weights are symmetric."""
    reach, count = len(weights) // 2, len(values) - len(weights) + 1
    total = values[reach : reach + count] * weights[reach]
    for away in range(reach, 0, -1):
        pair = values[reach - away : reach - away + count] + values[reach + away : reach + away + count]
        total += pair * weights[reach - away]
    return total
