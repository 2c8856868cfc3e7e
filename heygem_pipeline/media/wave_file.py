"""Samples written as a WAV file."""

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_wave(path: Path, samples: NDArray[np.floating], rate: int) -> None:
    """Write mono samples, -1..1 (louder ones are clipped), as 16-bit WAV.

    Args:
        rate: samples a second.
    """
    write_wave_pieces(path, [samples[:, None]], rate, 1)


def write_wave_pieces(path: Path, pieces: Iterable[NDArray[np.floating]], rate: int, channels: int) -> None:
    """The same of samples that come in pieces, (n, channels)."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        for piece in pieces:
            file.writeframes(np.round(np.clip(piece, -1, 1) * 32767).astype("<i2").tobytes())
