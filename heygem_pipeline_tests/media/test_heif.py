import struct
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from heygem_pipeline.errors import TooLarge, TruncatedFile
from heygem_pipeline.media.probe import probe_video
from heygem_pipeline.media.still import read_picture
from heygem_pipeline.settings import UploadLimits
from heygem_pipeline_tests.media.conftest import run_ffmpeg

SIDE = 64
COLOURS = np.array([(40, 60, 200), (60, 180, 70), (200, 90, 40), (120, 120, 120)], np.uint8)
"""BGR of the four tiles, from the top left."""


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def full_box(name: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *parts)


def coded_tile(colour: np.ndarray, folder: Path) -> tuple[bytes, bytes]:
    """A tile of one colour as H.265: (the box hvcC, its bytes)."""
    path, picture = folder / "tile.mp4", folder / "tile.png"
    Image.fromarray(np.tile(colour[::-1], (SIDE, SIDE, 1))).save(picture)
    options = ["-pix_fmt", "yuv420p", "-c:v", "libx265", "-crf", "4", "-x265-params", "log-level=none"]
    run_ffmpeg("-i", picture, *options, path)
    with av.open(path) as container:
        packet = next(packet for packet in container.demux(video=0) if packet.size)
        return box_in(path.read_bytes(), b"hvcC"), bytes(packet)


def box_in(content: bytes, name: bytes) -> bytes:
    """The first box of that name, wherever it lies."""
    place = content.index(name) - 4
    (size,) = struct.unpack_from(">I", content, place)
    return content[place : place + size]


def heic_of_one(hvcc: bytes, coded: bytes, size: tuple[int, int]) -> bytes:
    """A photograph that is one coded picture; of its colours only the coded picture tells."""
    properties = box(
        b"iprp",
        box(b"ipco", hvcc, full_box(b"ispe", struct.pack(">II", *size))),
        full_box(b"ipma", struct.pack(">IHBBB", 1, 1, 2, 0x81, 2)),
    )

    def meta(first: int) -> bytes:
        return full_box(
            b"meta",
            full_box(b"hdlr", struct.pack(">4x4s12xx", b"pict")),
            full_box(b"pitm", struct.pack(">H", 1)),
            full_box(b"iinf", struct.pack(">H", 1), full_box(b"infe", struct.pack(">HH4sx", 1, 0, b"hvc1"), version=2)),
            properties,
            full_box(b"iloc", struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, first, len(coded))),
        )

    start = box(b"ftyp", b"heic", struct.pack(">I", 0), b"mif1heic")
    first = len(start) + len(meta(0)) + 8
    return start + meta(first) + box(b"mdat", coded)


def write_heic(path: Path, size: tuple[int, int] = (100, 90), turned: bytes = b"", tiles: int = 4) -> Path:
    """Two rows of two tiles, and the picture that is cut from them; turned: boxes irot and imir."""
    coded = [coded_tile(colour, path.parent) for colour in COLOURS]
    numbers = range(1, 5)
    items = b"".join(full_box(b"infe", struct.pack(">HH4sx", n, 0, b"hvc1"), version=2) for n in numbers)
    items += full_box(b"infe", struct.pack(">HH4sx", 5, 0, b"grid"), version=2)
    made_of = box(b"dimg", struct.pack(">HH", 5, tiles), struct.pack(f">{tiles}H", *range(1, tiles + 1)))
    known = [hvcc for hvcc, _ in coded]
    known.append(full_box(b"ispe", struct.pack(">II", SIDE, SIDE)))
    known.append(full_box(b"ispe", struct.pack(">II", *size)))
    turns = [turned[place : place + 9] for place in range(0, len(turned), 9)]
    owned = b"".join(struct.pack(">HBBB", n, 2, 0x80 | n, 5) for n in numbers)
    owned += struct.pack(">HB", 5, 1 + len(turns)) + bytes([6, *(0x80 | (7 + n) for n in range(len(turns)))])
    properties = box(b"iprp", box(b"ipco", *known, *turns), full_box(b"ipma", struct.pack(">I", 5), owned))
    grid = struct.pack(">BBBBHH", 0, 0, 1, 1, *size)

    def meta(first: int) -> bytes:
        places, place = b"", first
        for number, (_, content) in zip(numbers, coded, strict=True):
            places += struct.pack(">HHHHII", number, 0, 0, 1, place, len(content))
            place += len(content)
        places += struct.pack(">HHHHII", 5, 1, 0, 1, 0, len(grid))
        return full_box(
            b"meta",
            full_box(b"hdlr", struct.pack(">4x4s12xx", b"pict")),
            full_box(b"pitm", struct.pack(">H", 5)),
            full_box(b"iinf", struct.pack(">H", 5), items),
            full_box(b"iref", made_of),
            properties,
            box(b"idat", grid),
            full_box(b"iloc", struct.pack(">BBH", 0x44, 0, 5), places, version=1),
        )

    start = box(b"ftyp", b"heic", struct.pack(">I", 0), b"mif1heic")
    first = len(start) + len(meta(0)) + 8
    path.write_bytes(start + meta(first) + box(b"mdat", *(content for _, content in coded)))
    return path


def corners(pixels: np.ndarray) -> list[int]:
    """Which colour is nearest in each quarter, from the top left."""
    height, width = pixels.shape[:2]
    seen = [pixels[y, x].astype(int) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [int(np.abs(COLOURS.astype(int) - colour).sum(axis=1).argmin()) for colour in seen]


def test_a_photograph_in_tiles_is_shown_whole(tmp_path: Path) -> None:
    path = write_heic(tmp_path / "phone.heic")
    info = probe_video(path)
    assert (info.width, info.height, info.still) == (100, 90, True)
    pixels = read_picture(path)
    assert pixels.shape == (90, 100, 3)
    assert corners(pixels) == [0, 1, 2, 3]
    for place, colour in zip([(30, 30), (30, 90), (80, 30), (80, 90)], COLOURS, strict=True):
        assert np.abs(pixels[place].astype(int) - colour).max() <= 4


@pytest.mark.parametrize(
    ("turned", "order"),
    [
        (box(b"irot", b"\1"), [1, 3, 0, 2]),
        (box(b"irot", b"\2"), [3, 2, 1, 0]),
        (box(b"irot", b"\3"), [2, 0, 3, 1]),
        (box(b"imir", b"\1"), [1, 0, 3, 2]),
        (box(b"imir", b"\0"), [2, 3, 0, 1]),
        (box(b"irot", b"\1") + box(b"imir", b"\1"), [3, 1, 2, 0]),
    ],
    ids=["90 left", "180", "90 right", "left and right", "top and bottom", "90 left, then left and right"],
)
def test_a_photograph_in_tiles_is_turned_upright(turned: bytes, order: list[int], tmp_path: Path) -> None:
    path = write_heic(tmp_path / "phone.heic", turned=turned)
    info, pixels = probe_video(path), read_picture(path)
    assert pixels.shape == (info.height, info.width, 3)
    assert corners(pixels) == order


def test_a_large_photograph_is_scaled_down(tmp_path: Path) -> None:
    path = write_heic(tmp_path / "phone.heic")
    limits = UploadLimits(max_width=50, max_height=50)
    info = probe_video(path, limits)
    assert (info.width, info.height) == (50, 45)
    assert corners(read_picture(path, (info.width, info.height))) == [0, 1, 2, 3]


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TruncatedFile, match=r"three\.heic"):
        probe_video(write_heic(tmp_path / "three.heic", tiles=3))
    with pytest.raises(TooLarge, match=r"huge\.heic"):
        probe_video(write_heic(tmp_path / "huge.heic", size=(60000, 60000)))
    whole = write_heic(tmp_path / "whole.heic").read_bytes()
    cut = tmp_path / "cut.heic"
    cut.write_bytes(whole[:-20])
    with pytest.raises(TruncatedFile, match=r"cut\.heic"):
        read_picture(cut)
