"""How long a WAV says it is. FFmpeg goes by the file's size, and half a recording would pass for a whole one."""

import struct
from fractions import Fraction
from pathlib import Path

LARGEST_KNOWN_SIZE = 0x7FFFF000
"""Programs that write to a pipe do not know the size of the samples and leave 0, or a number larger than this."""


def promised_seconds(path: Path) -> Fraction | None:
    """Return the seconds of samples that the header of a RIFF WAVE announces; None where it does not say."""
    with path.open("rb") as file:
        start = file.read(12)
        if (start[:4], start[8:]) != (b"RIFF", b"WAVE"):
            return None
        byte_rate = 0
        while len(header := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            if name == b"data":
                return Fraction(size, byte_rate) if byte_rate and 0 < size <= LARGEST_KNOWN_SIZE else None
            content = file.tell()
            if name == b"fmt " and len(described := file.read(12)) == 12:
                (byte_rate,) = struct.unpack_from("<I", described, 8)
            file.seek(content + size + size % 2)
    return None
