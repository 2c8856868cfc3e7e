"""How a calm person's head and eyelids move while a photograph of them is shown: at rest where it begins and ends."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

SECONDS = 16
"""Played forward and back like every presenter, it comes round after twice as long."""

SLOWEST_SWING, FASTEST_SWING = 16.0, 3.2
"""Seconds in which a head that listens turns one way and back."""

BREATH_SECONDS = 4.0

BETWEEN_BLINKS = (2.2, 5.6)
"""Seconds: people who talk blink every two to six."""

FROM_THE_ENDS = (1.1, 2.8)
"""Seconds to the first and from the last blink: twice as long passes where the motion turns round."""

BLINK = ((-0.10, 0.0), (-0.02, 1.0), (0.02, 1.0), (0.14, 0.0))
"""Seconds and how far the lids are closed: 0.12 s of it further than 60 %, which is what is measured of people."""


@dataclass(frozen=True)
class IdleMotion:
    """One entry a frame. Played forward and back it has no jolt, and its first frame is at rest.

    Attributes:
        yaw: degrees, > 0 turns the nose to the viewer's right.
        pitch: degrees, > 0 raises the nose.
        roll: degrees, > 0 tilts the crown to the viewer's right.
        lean: growth of the head as it comes nearer, 0.01 = 1 %.
        sway: shift to the viewer's right, eye distances.
        breath: rise, eye distances.
        eyes_closed: 0 = open, 1 = shut.
    """

    yaw: Series
    pitch: Series
    roll: Series
    lean: Series
    sway: Series
    breath: Series
    eyes_closed: Series


def idle_motion(fingerprint: str, frame_rate: Fraction) -> IdleMotion:
    """Return the motion of a photograph, the same for the same one.

    Args:
        fingerprint: of the photograph, hexadecimal digits.
    """
    chance = np.random.Generator(np.random.PCG64(int(fingerprint[:16], 16)))
    count = round(SECONDS * frame_rate)
    yaw, pitch, roll, lean, sway = (_swings(chance, count) for _ in range(5))
    breath = (1 - np.cos(np.pi * np.arange(count) / (count - 1) * _halves(BREATH_SECONDS))) / 2
    return IdleMotion(
        yaw=1.5 * yaw,
        pitch=0.8 * pitch,
        roll=0.32 * roll,
        lean=0.0018 * lean,
        sway=0.005 * sway,
        breath=0.012 * breath,
        eyes_closed=_blinks(chance, count, frame_rate),
    )


def _halves(seconds: float) -> int:
    """How many half periods of about so many seconds fit: with whole ones, speed is nought at both ends."""
    return round(2 * SECONDS / seconds)


def _swings(chance: np.random.Generator, count: int) -> Series:
    """Slow cosines, nought at the beginning, with a root mean square of one."""
    halves = np.arange(_halves(SLOWEST_SWING), _halves(FASTEST_SWING) + 1)
    sizes = chance.normal(size=len(halves)) / halves
    sizes -= halves**-2.0 * sizes.sum() / (halves**-2.0).sum()
    swings = np.cos(np.pi * np.outer(np.arange(count) / (count - 1), halves)) @ sizes
    return swings / np.sqrt((swings**2).mean())


def _blinks(chance: np.random.Generator, count: int, frame_rate: Fraction) -> Series:
    """Each reaches its height at the middle of a frame."""
    times = [chance.uniform(*FROM_THE_ENDS)]
    end = SECONDS - chance.uniform(*FROM_THE_ENDS)
    while end - times[-1] > BETWEEN_BLINKS[1]:
        # What is left must hold one more pause that is long enough.
        times.append(
            times[-1] + chance.uniform(BETWEEN_BLINKS[0], min(BETWEEN_BLINKS[1], end - times[-1] - BETWEEN_BLINKS[0]))
        )
    times.append(end)
    heights = np.rint(np.array(times) * float(frame_rate)) / float(frame_rate)
    seconds, closed = zip(*BLINK, strict=True)
    since = np.arange(count)[:, None] / float(frame_rate) - heights
    return np.interp(since, seconds, closed).max(axis=1)
