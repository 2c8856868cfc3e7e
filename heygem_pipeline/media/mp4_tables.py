"""How many samples the tables of an MP4 or MOV announce, read before FFmpeg makes room for all of them.

A table may announce a hundred million samples in a few bytes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

FOLDERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"})
"""Boxes that hold the boxes looked for."""

MOST_BOXES = 500_000

MOST_TABLE_BYTES = 32 * 2**20
"""Of one table: more entries than any recording of the longest that is accepted has."""

PCM_SAMPLES_A_PACKET = 1024
"""Of sound that is not compressed FFmpeg makes a packet of so many samples."""


@dataclass
class Announced:
    """What the tables of a file announce.

    Attributes:
        samples: packets that FFmpeg would make room for.
        pixels: of the largest picture.
        compressed: the boxes themselves are, so that nothing can be told.
    """

    samples: int = 0
    pixels: int = 0
    compressed: bool = False


@dataclass
class _Track:
    sound: bool = False
    sized: int = 0
    timed: int = 0
    chunks: int = 0
    in_chunks: int = 0
    every_tick: bool = False

    @property
    def packets(self) -> int:
        if self.sound and self.every_tick:
            return max(self.sized, self.timed, self.in_chunks) // PCM_SAMPLES_A_PACKET + self.chunks
        return max(self.sized, self.timed)


def announced_by(path: Path) -> Announced:
    """Read the tables; of a file of another kind nothing is announced."""
    found = Announced()
    tracks = [_Track()]
    with path.open("rb") as file:
        for number, (name, size) in enumerate(boxes_of(file, 0, path.stat().st_size)):
            if number > MOST_BOXES:
                found.samples += MOST_TABLE_BYTES
                break
            if name == b"trak":
                tracks.append(_Track())
            elif name == b"cmov":
                found.compressed = True
            elif name == b"trun":
                found.samples += _number(file.read(8), 4)
            elif name == b"stsd":
                found.pixels = max(found.pixels, _pixels(file.read(min(size, 60))))
            else:
                _read_table(file, name, size, tracks[-1])
    found.samples += sum(track.packets for track in tracks)
    return found


def boxes_of(file: IO[bytes], start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Yield (name, bytes of content) of all boxes in order, the file standing at the content."""
    place = start
    ends = [end]
    while ends:
        while ends and place + 8 > ends[-1]:
            place = ends.pop()
        if not ends:
            return
        file.seek(place)
        size, name = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
        header = 8
        if size == 1:
            size, header = _number(file.read(8), 0, 8), 16
        elif size == 0:
            size = ends[-1] - place
        if size < header:
            place = ends[-1]
            continue
        stop = min(place + size, ends[-1])
        file.seek(place + header)
        yield name, max(0, stop - place - header)
        if name in FOLDERS:
            ends.append(stop)
            place += header
        else:
            place = stop


def _read_table(file: IO[bytes], name: bytes, size: int, track: _Track) -> None:
    match name:
        case b"hdlr":
            track.sound = track.sound or file.read(12)[8:12] == b"soun"
        case b"stsz":
            track.sized += _number(file.read(12), 8)
        case b"stz2":
            track.sized += _number(file.read(12), 8)
        case b"stco" | b"co64":
            track.chunks += _number(file.read(8), 4)
        case b"stts" | b"ctts":
            entries = _entries(file, size, 2)
            if name == b"stts":
                track.every_tick = len(entries) == 1 and int(entries[0, 1]) == 1
            track.timed = max(track.timed, int(entries[:, 0].sum()))
        case b"stsc":
            entries = _entries(file, size, 3)
            if len(entries):
                last = max(track.chunks, int(entries[-1, 0]))
                spans = np.maximum(0, np.diff(entries[:, 0], append=last + 1))
                track.in_chunks = max(track.in_chunks, int((spans * entries[:, 1]).sum()))
        case _:
            pass


def _entries(file: IO[bytes], size: int, columns: int) -> np.ndarray:
    """The entries of a table, int64 (n, columns)."""
    count = _number(file.read(8), 4)
    content = file.read(max(0, min(size - 8, count * columns * 4, MOST_TABLE_BYTES)))
    whole = len(content) // (4 * columns)
    return np.frombuffer(content[: whole * 4 * columns], ">u4").astype(np.int64).reshape(whole, columns)


def _pixels(content: bytes) -> int:
    """Width times height of the first sample description, where it is one of a picture."""
    if len(content) < 44:
        return 0
    width, height = struct.unpack_from(">HH", content, 40)
    return width * height


def _number(content: bytes, place: int, size: int = 4) -> int:
    return int.from_bytes(content[place : place + size], "big")
