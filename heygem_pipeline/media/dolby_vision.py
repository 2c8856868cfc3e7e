"""Dolby Vision whose picture is coded in colours of its own: FFmpeg decodes the numbers and cannot show the colours."""

import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

from heygem_pipeline.media.mp4_tables import MOST_BOXES, boxes_of

RECORDS = (b"dvcC", b"dvvC", b"dvwC")
"""Names of the record that tells the profile, in MP4's boxes and in Matroska."""

BEFORE_BOXES = 94
"""Bytes of a table of sample descriptions before the boxes of its first, where that is one of a picture."""

MATROSKA, MATROSKA_HEAD = b"\x1aE\xdf\xa3", 2**18
ADDED_TYPE, ADDED_CONTENT, SAME_ELEMENT = b"\x41\xe7\x84", b"\x41\xed", 64
"""Matroska's BlockAddIDType (of 4 bytes) and BlockAddIDExtraData, which lie so many bytes apart at most."""

OWN_COLOURS, LATER_PROFILES = 5, 10
"""The profile of H.265 without a picture for others; from the later one on the record says whether there is one."""


def is_dolby_vision_alone(path: Path) -> bool:
    """Does a file hold Dolby Vision that no player without Dolby's decoder shows in its true colours?"""
    with path.open("rb") as file:
        return any(_is_alone(record) for record in _records(file, path.stat().st_size))


def _is_alone(record: bytes) -> bool:
    """Whether a record tells of a picture that nothing else shows.

    Args:
        record: two bytes of version; 7 bits profile, 6 level, 3 flags; 4 bits: which others show its picture.
    """
    if len(record) < 5:
        return False
    profile, compatible = struct.unpack_from(">H", record, 2)[0] >> 9, record[4] >> 4
    return profile == OWN_COLOURS or (profile >= LATER_PROFILES and compatible == 0)


def _records(file: IO[bytes], size: int) -> Iterator[bytes]:
    head = file.read(MATROSKA_HEAD)
    if head.startswith(MATROSKA):
        yield from _of_matroska(head)
        return
    for name, length in islice(boxes_of(file, 0, size), MOST_BOXES):
        if name == b"stsd":
            table = file.tell()
            for child, held in islice(boxes_of(file, table + BEFORE_BOXES, table + length), MOST_BOXES):
                if child in RECORDS:
                    yield file.read(held)[:24]


def _of_matroska(head: bytes) -> Iterator[bytes]:
    for name in RECORDS:
        place = head.find(ADDED_TYPE + name)
        while place >= 0:
            around = head[max(0, place - SAME_ELEMENT) : place + SAME_ELEMENT]
            content = around.find(ADDED_CONTENT)
            if content >= 0:
                # Behind the name a length of one byte.
                yield around[content + 3 : content + 27]
            place = head.find(ADDED_TYPE + name, place + 1)
