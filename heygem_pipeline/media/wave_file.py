"""WAV files: samples written, and what a header says of its length, and whether that can be believed.

Of headers bytes are compared, never rates.
"""

import struct
import wave
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST_KNOWN_SIZE = 10**9
"""Bytes. Programs that write to a pipe do not know the size of the samples and leave 0, or a large number: 2000000000,
0x7FFFF000, 0xFFFFFFFF ... So many bytes are hours of speech."""

MOST_CHUNKS = 10_000


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


class _Samples(NamedTuple):
    """The chunk of samples.

    Attributes:
        size: bytes of samples as the header says.
        held: bytes from their beginning to the end of the file.
        follows: the eight bytes after them, name and size of another chunk as a rule.
    """

    size: int
    held: int
    follows: bytes


def share_promised(path: Path) -> Fraction:
    """Return how many times the samples that are there a RIFF WAVE announces; 1 where it does not say."""
    samples = _samples(path)
    if samples is None or not 0 < samples.held < samples.size <= LARGEST_KNOWN_SIZE:
        return Fraction(1)
    return Fraction(samples.size, samples.held)


def promises_too_little(path: Path) -> bool:
    """Do samples go on after the end that the header names, as where a recorder never finished it?"""
    samples = _samples(path)
    if samples is None or samples.held <= samples.size + 8:
        return False
    named = all(32 <= byte < 127 for byte in samples.follows[:4])
    size = int.from_bytes(samples.follows[4:], "little")
    return not (named and size <= samples.held - samples.size)


def _samples(path: Path) -> _Samples | None:
    whole = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if (start[:4], start[8:]) != (b"RIFF", b"WAVE"):
            return None
        for _ in range(MOST_CHUNKS):
            header = file.read(8)
            if len(header) < 8:
                return None
            name, size = struct.unpack("<4sI", header)
            content = file.tell()
            file.seek(content + size + size % 2)
            if name == b"data":
                return _Samples(size, whole - content, file.read(8))
    return None
