"""Smooth paths along a strip of pixels: the cheapest way from its left end to its right one (Viterbi)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STEP_COSTS = (1.0, 2.8)
"""What a step of one and of two rows from a column to the next costs, in units of ``step``; none goes further."""

UNREACHABLE = 1e9


def minimal_paths(costs: Sequence[NDArray[np.float32]], step: float) -> NDArray[np.int64]:
    """Return the row at every column of each strip's cheapest path, (strips, columns).

    Many strips at once take little longer than one.

    Args:
        costs: of each strip float32 (rows, columns), of standing at a place; the number of columns is the same.
        step: of moving one row between two columns.
    """
    rows, columns = max(len(strip) for strip in costs), costs[0].shape[1]
    reach = len(STEP_COSTS)
    by_column = np.full((columns, len(costs), rows), UNREACHABLE, np.float32)
    for number, strip in enumerate(costs):
        by_column[:, number, : len(strip)] = strip.T
    total = np.full((columns, len(costs), rows + 2 * reach), UNREACHABLE, np.float32)
    outward = [np.float32(step * cost) for cost in STEP_COSTS]
    fines = np.array([*outward[::-1], 0, *outward], np.float32)
    # All steps at once: (columns, steps, strips, rows), the rows from which each place can be reached.
    sources = np.lib.stride_tricks.sliding_window_view(total, rows, axis=2).transpose(0, 2, 1, 3)
    inside = total[:, :, reach : reach + rows]
    inside[0] = by_column[0]
    reached, fine = np.empty((len(fines), len(costs), rows), np.float32), fines[:, None, None]
    for source, here, cost in zip(sources[:-1], inside[1:], by_column[1:], strict=True):
        np.add(source, fine, out=reached)
        np.minimum.reduce(reached, axis=0, out=here)
        here += cost
    return _backtrace(total, fines)


def _backtrace(total: NDArray[np.float32], fines: NDArray[np.float32]) -> NDArray[np.int64]:
    columns, strips, _ = total.shape
    reach = len(STEP_COSTS)
    path = np.empty((columns, strips), np.int64)
    path[-1] = row = total[-1].argmin(axis=1) - reach
    strip, steps = np.arange(strips)[:, None], np.arange(2 * reach + 1)
    for column in range(columns - 2, -1, -1):
        row = row + ((total[column][strip, row[:, None] + steps] + fines).argmin(axis=1) - reach)
        path[column] = row
    return path.T


def subpixel_rows(costs: NDArray[np.floating], path: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rows (columns,) to a fraction, where a parabola through the costs (rows, columns) beside the path is lowest."""
    row = np.clip(path, 1, len(costs) - 2)
    column = np.arange(costs.shape[1])
    above, here, below = costs[row - 1, column], costs[row, column], costs[row + 1, column]
    bend = np.maximum(above - 2 * here + below, 1e-3)
    return row + np.clip(0.5 * (above - below) / bend, -0.5, 0.5)


def binomial_smooth(path: NDArray[np.floating]) -> NDArray[np.float64]:
    """Binomial smoothing over five columns."""
    return np.convolve(pad_edges(path, 2), np.array([1, 4, 6, 4, 1]) / 16, mode="valid")


def pad_edges(path: NDArray[np.floating], by: int) -> NDArray[np.floating]:
    """Repeat the first and last value ``by`` times (as ``np.pad`` would, in a tenth of its time)."""
    return np.concatenate([np.full(by, path[0]), path, np.full(by, path[-1])])
