"""How a calm presenter's head and eyelids move: smooth, periodic, and at rest where the clip begins and ends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class HeadMotion:
    """One entry a frame; float32 (frames,)."""

    yaw: NDArray[np.float32]
    """Degrees, > 0 turns the nose to the viewer's right."""
    pitch: NDArray[np.float32]
    """Degrees, > 0 raises the nose."""
    roll: NDArray[np.float32]
    """Degrees, > 0 tilts the crown to the viewer's right."""
    lean: NDArray[np.float32]
    """Growth of the head as it comes nearer, 0.01 = 1 %."""
    sway: NDArray[np.float32]
    """Sideways shift of the upper body, frame pixels."""
    breath: NDArray[np.float32]
    """Rise of the upper body, frame pixels."""
    eyes_closed: NDArray[np.float32]
    """0 = open, 1 = shut."""


def calm_motion(frame_count: int, frame_rate: int) -> HeadMotion:
    """Motion that comes back to its beginning after ``frame_count`` frames.

    Every speed is zero at the beginning and at the end, so that the clip runs on without a jolt both when it is looped
    and when it is played forward and back. The sizes are those of a person who looks into the camera: a few degrees.
    """
    turn = 2 * np.pi * np.arange(frame_count) / frame_count
    seconds = np.arange(frame_count) / frame_rate
    length = frame_count / frame_rate
    nods = _bump(seconds, 0.30 * length, 0.30, length) + 0.7 * _bump(seconds, 0.71 * length, 0.34, length)
    blinks = _blink(seconds, 0.19 * length) + _blink(seconds, 0.64 * length)
    return HeadMotion(
        yaw=_wave(turn, cosines=(0.8, -1.0, 0.5), swings=(1.9, -0.7)),
        pitch=_wave(turn, cosines=(0.5, -0.4, -0.3), swings=(0.5, -0.6)) - (1.6 * nods).astype(np.float32),
        roll=_wave(turn, cosines=(-0.5, 0.7, -0.3), swings=(0.9, 0.4)),
        lean=_wave(turn, cosines=(-0.005, 0.002, 0), swings=(0.003, 0)),
        sway=_wave(turn, cosines=(2.0, -1.2, 0), swings=(2.2, 0)),
        breath=_wave(turn, cosines=(0, -1.3, 0), swings=(0, 0)),
        eyes_closed=np.clip(blinks, 0, 1).astype(np.float32),
    )


def _wave(
    turn: NDArray[np.float64], cosines: tuple[float, float, float], swings: tuple[float, float]
) -> NDArray[np.float32]:
    """Cosines of 1, 2 and 3 periods a clip, and two sine pairs whose speeds cancel at the clip's ends."""
    wave = sum(size * np.cos(k * turn) for k, size in enumerate(cosines, 1))
    wave += sum(size * (np.sin(k * turn) - k / (k + 1) * np.sin((k + 1) * turn)) for k, size in enumerate(swings, 1))
    return np.asarray(wave, np.float32)


def _bump(seconds: NDArray[np.float64], centre: float, width: float, length: float) -> NDArray[np.float64]:
    """A smooth push of height 1 that wraps round the clip's ends."""
    away = (seconds - centre + length / 2) % length - length / 2
    return np.exp(-0.5 * (away / width) ** 2)


def _blink(seconds: NDArray[np.float64], start: float) -> NDArray[np.float64]:
    """Lids fall in 0.10 s, stay shut for 0.04 s and open in 0.18 s: within what is measured for spontaneous blinks."""
    return np.interp(seconds - start, [0, 0.10, 0.14, 0.22, 0.32], [0, 1, 1, 0.35, 0])
