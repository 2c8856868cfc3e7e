"""Time as whole numbers: irregular timestamps made into a constant rate, and the order in which a clip is played.

Nothing here reads a file. Timestamps are in ticks of ``time_base`` seconds, rates and durations are Fractions.
"""

from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

COMMON_RATES = tuple(
    Fraction(*rate)
    for rate in (
        *((10, 1), (12, 1), (25, 2), (15, 1), (20, 1), (24000, 1001), (24, 1), (25, 1)),
        *((30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1), (120, 1)),
    )
)
"""Rates that cameras and editors use; a measured rate close to one of them is taken to be it."""

STILL_RATE = Fraction(25)
"""Rate at which a still picture, or a video of one frame, is shown."""

IMPLAUSIBLE_TIMES = 2
"""Steps so many times shorter than the fastest rate shown are no rate, unless all of them are."""

SLOWEST_RATE = Fraction(10)
"""A slower presenter (a slide show) is shown at a multiple of its rate: no mouth is seen to speak at 1 frame/s."""


def ping_pong(position: int, frame_count: int) -> int:
    """Return which of N frames is shown at ``position``: 0 .. N-1, N-2 .. 1, 0, 1 .. with no end frame repeated."""
    if frame_count < 2:
        return 0
    step = position % (2 * (frame_count - 1))
    return min(step, 2 * (frame_count - 1) - step)


def count_frames(duration: Fraction, frame_rate: Fraction) -> int:
    """Return the number of frames that last ``duration`` seconds: round(duration x rate), at least 1."""
    return max(1, round(duration * frame_rate))


def constant_rate(timestamps: NDArray[np.int64], time_base: Fraction, fastest: int) -> Fraction:
    """Return the rate at which frames with these sorted timestamps are best shown, at most ``fastest`` frames/s.

    The measure is the mean of the short steps between frames (up to 1.5 times their 20th percentile): where frames were
    dropped the steps are multiples of the true one, and containers that count milliseconds round each of them.
    """
    steps = np.diff(timestamps)
    steps = steps[steps > 0]
    if not len(steps):
        return STILL_RATE
    short = steps[steps <= 1.5 * np.percentile(steps, 20)]
    measured = 1 / (Fraction(int(short.sum()), len(short)) * time_base)
    if measured > IMPLAUSIBLE_TIMES * fastest:
        measured = min(measured, _rate_of_bunches(steps, time_base, fastest) or measured)
    even = np.ptp(short) * time_base <= Fraction(2, 1000)
    nearest = min(COMMON_RATES, key=lambda rate: abs(rate - measured))
    tolerance = Fraction(3, 1000) if even else Fraction(2, 100)
    rate = nearest if abs(nearest / measured - 1) <= tolerance else measured.limit_denominator(1001)
    if rate > fastest:
        return rate / ceil(rate / fastest)
    if rate < SLOWEST_RATE:
        return rate * ceil(STILL_RATE / rate)
    return rate


def _rate_of_bunches(steps: NDArray[np.int64], time_base: Fraction, fastest: int) -> Fraction | None:
    """The mean rate where frames come in bunches, as some recorders write them; None where they do not."""
    pauses = np.flatnonzero(steps * float(time_base) >= 1 / fastest)
    if len(pauses) < 2:
        return None
    frames = int(pauses[-1] - pauses[0])
    seconds = int(steps[pauses[0] : pauses[-1]].sum()) * time_base
    mean = frames / seconds
    return mean if mean <= fastest else None


def is_variable(timestamps: NDArray[np.int64], time_base: Fraction, frame_rate: Fraction) -> bool:
    """Tell whether some step between frames is half a frame or more away from the usual one."""
    frames = np.diff(timestamps) * float(time_base * frame_rate)
    return bool(len(frames)) and bool(np.any(np.abs(frames - np.maximum(1, np.round(np.median(frames)))) >= 0.5))


def display_times(frame_count: int, frame_rate: Fraction, start: int, time_base: Fraction) -> NDArray[np.int64]:
    """Return int64 (frame_count,): the tick at the middle of each frame of the constant-rate timeline.

    The frame on display there is the one shown, so jitter below half a frame neither drops nor repeats any.

    Args:
        start: timestamp of the first source frame.
    """
    ticks = 1 / (frame_rate * time_base)
    numerator, denominator = ticks.numerator, 2 * ticks.denominator
    return np.array([start + (2 * i + 1) * numerator // denominator for i in range(frame_count)], np.int64)


def frames_on_display(timestamps: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64 (times,): which source frame (sorted timestamps) is on display at each time."""
    return np.maximum(0, np.searchsorted(timestamps, times, side="right") - 1)
