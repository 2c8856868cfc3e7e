"""Ogg and FLAC files that were joined: each recording begins anew, with headers and a clock of its own."""

import struct
from mmap import ACCESS_READ, mmap
from pathlib import Path

PAGE_HEADER = 27
"""Bytes of a page before its table of segments (RFC 3533)."""

BEGINS_STREAM = 0x02

FLAC = b"fLaC\0\0\0\x22"
"""How a FLAC file begins: its name, and the header of the block that describes the stream (RFC 9639)."""

MOST_PAGES = 500_000
"""Pages that are looked at: 30 minutes have some 10 000; a longer file is read as one recording."""


MOST_RECORDINGS = 1000


def joined_recordings(path: Path) -> list[tuple[int, int | None]]:
    """Return (first byte, byte after the last; None: to the end) of every recording of an Ogg or FLAC file.

    Any other file is one recording.
    """
    beginnings = _of_flac(path) or _of_ogg(path)
    if not 1 < len(beginnings) <= MOST_RECORDINGS:
        return [(0, None)]
    return list(zip(beginnings, [*beginnings[1:], None], strict=True))


def _of_flac(path: Path) -> list[int]:
    beginnings: list[int] = []
    with path.open("rb") as file:
        if file.read(len(FLAC)) != FLAC:
            return []
        with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            place = 0
            while place >= 0 and len(beginnings) <= MOST_RECORDINGS:
                beginnings.append(place)
                place = content.find(FLAC, place + 1)
    return beginnings


def _of_ogg(path: Path) -> list[int]:
    beginnings: list[int] = []
    with path.open("rb") as file:
        in_headers = False
        place = 0
        for _ in range(MOST_PAGES):
            file.seek(place)
            header = file.read(PAGE_HEADER)
            if len(header) < PAGE_HEADER or header[:4] != b"OggS":
                break
            begins = bool(header[5] & BEGINS_STREAM)
            # The first pages of all tracks of a recording stand together.
            if begins and not in_headers:
                beginnings.append(place)
            in_headers = begins
            segments = file.read(header[26])
            place += PAGE_HEADER + len(segments) + sum(struct.unpack(f"{len(segments)}B", segments))
    return beginnings
