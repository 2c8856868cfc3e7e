"""Samples written as a WAV file."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_wave(path: Path, samples: NDArray[np.floating], rate: int) -> None:
    """Write mono samples, -1..1 (louder ones are clipped), as 16-bit WAV.

    Args:
        rate: samples a second.
    """
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
