"""Ogg files that were joined: each recording of the chain begins anew, with headers and a clock of its own."""

import struct
from pathlib import Path

PAGE_HEADER = 27
"""Bytes of a page before its table of segments (RFC 3533)."""

BEGINS_STREAM = 0x02

MOST_PAGES = 500_000
"""Pages that are looked at: 30 minutes have some 10 000; a longer file is read as one recording."""


MOST_RECORDINGS = 1000


def chained_recordings(path: Path) -> list[tuple[int, int | None]]:
    """Return (first byte, byte after the last; None: to the end) of every recording of an Ogg file.

    Any other file is one recording.
    """
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
    if not 1 < len(beginnings) <= MOST_RECORDINGS:
        return [(0, None)]
    return list(zip(beginnings, [*beginnings[1:], None], strict=True))
