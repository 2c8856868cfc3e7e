"""Small files that announce endless content are refused by what they say, before room is made for it."""

import struct
import tracemalloc
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from heygem_pipeline.errors import NotMedia, TooLarge
from heygem_pipeline.media import formats
from heygem_pipeline.media.mp4_tables import announced_by
from heygem_pipeline.media.probe import probe_sound, probe_video
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline_tests.media.conftest import MOVING, TONE, MakeMedia


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def table(name: bytes, *numbers: int) -> bytes:
    return box(name, bytes(4), struct.pack(f">{len(numbers)}I", *numbers))


def movie(*tables: bytes, size: tuple[int, int] = (16, 16), codec: bytes = b"raw ") -> bytes:
    """An MP4 of one track of pictures with these tables."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    ftyp = box(b"ftyp", b"isom", struct.pack(">I", 512), b"isom")
    mdat = box(b"mdat", bytes(4096))
    entry = box(
        codec,
        struct.pack(">6xH16xHHIIIH32xHh", 1, *size, 0x480000, 0x480000, 0, 1, 24, -1),
    )
    described = box(b"stsd", struct.pack(">II", 0, 1), entry)
    place = table(b"stco", 1, len(ftyp) + 8)
    samples = box(b"stbl", described, *tables, place)
    data = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1), box(b"url ", struct.pack(">I", 1))))
    information = box(b"minf", box(b"vmhd", struct.pack(">I8x", 1)), data, samples)
    media = box(
        b"mdia",
        box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 1000, 1000, 0x55C4, 0)),
        box(b"hdlr", struct.pack(">8x4s12xx", b"vide")),
        information,
    )
    head = struct.pack(">IIIIII", 3, 0, 0, 1, 0, 1000) + struct.pack(">8xHHHH", 0, 0, 0, 0) + matrix
    track = box(b"trak", box(b"tkhd", head, struct.pack(">II", size[0] << 16, size[1] << 16)), media)
    movie_head = struct.pack(">IIIIIIH10x", 0, 0, 0, 1000, 1000, 0x10000, 0x100) + matrix + struct.pack(">24xI", 2)
    return ftyp + mdat + box(b"moov", box(b"mvhd", movie_head), track)


ENDLESS = 85_000_000
BOMBS = {
    "sizes": movie(table(b"stts", 1, 10, 1), table(b"stsc", 1, 1, 10, 1), table(b"stsz", 1, ENDLESS)),
    "times": movie(table(b"stts", 1, ENDLESS, 1), table(b"stsc", 1, 1, 10, 1), table(b"stsz", 1, 10)),
    "offsets": movie(table(b"stts", 1, 10, 1), table(b"ctts", 1, ENDLESS, 1), table(b"stsz", 1, 10)),
    "fragment": movie(table(b"stts", 0), table(b"stsz", 0, 0))
    + box(b"moof", box(b"traf", box(b"tfhd", struct.pack(">II", 0x020000, 1)), table(b"trun", ENDLESS))),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_table_without_end_is_refused_before_it_is_filled(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "small.mp4"
    path.write_bytes(BOMBS[kind])
    for probe in (probe_video, probe_sound):
        with pytest.raises(TooLarge, match=r"small\.mp4 holds more than 1000000 pieces"):
            probe(path)


def test_boxes_that_are_compressed_are_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "packed.mov"
    path.write_bytes(box(b"ftyp", b"qt  ", bytes(4)) + box(b"moov", box(b"cmov", bytes(100))))
    with pytest.raises(NotMedia):
        probe_video(path)


def test_a_picture_too_large_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "huge.mov"
    tables = table(b"stts", 1, 1, 1), table(b"stsc", 1, 1, 1, 1), table(b"stsz", 4096, 1)
    path.write_bytes(movie(*tables, size=(16000, 16000), codec=b"png "))
    with pytest.raises(TooLarge, match=r"huge\.mov has too many pixels"):
        probe_video(path)
    path.write_bytes(movie(*tables, size=(5000, 5000), codec=b"png "))
    with pytest.raises(TooLarge, match=r"huge\.mov has 5000 x 5000 pixels"):
        probe_video(path)


def test_ordinary_files_announce_what_they_hold(make_media: MakeMedia) -> None:
    both = ["-f", "lavfi", "-i", MOVING, "-f", "lavfi", "-i", TONE]
    whole = announced_by(make_media("whole.mp4", *both))
    in_parts = announced_by(make_media("parts.mp4", *both, "-movflags", "+frag_keyframe+empty_moov"))
    for announced in (whole, in_parts):
        assert 50 + 85 <= announced.samples <= 50 + 100
        assert announced.pixels == 160 * 120
    assert announced_by(make_media("tone.wav", "-f", "lavfi", "-i", TONE)).samples == 0


def test_minutes_of_sound_that_is_not_compressed_are_no_table_without_end(make_media: MakeMedia) -> None:
    path = make_media("long.mov", "-f", "lavfi", "-i", "sine=sample_rate=48000:duration=60", "-c:a", "pcm_s16le")
    assert announced_by(path).samples < 10_000
    assert read_sound(path).duration == 60


def test_packets_without_end_are_not_read(make_media: MakeMedia, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_media("many.mkv", "-f", "lavfi", "-i", MOVING, "-f", "lavfi", "-i", TONE)
    probe_video(path)
    monkeypatch.setattr(formats, "MOST_PACKETS", 60)
    for probe in (probe_video, probe_sound):
        with pytest.raises(TooLarge, match=r"many\.mkv holds more than 60 pieces"):
            probe(path)


@pytest.mark.parametrize("content", [bytes(range(256)) * 40, b"\0" * 5000, b"\0\0\0\x08free" * 3000], ids=len)
def test_what_is_no_mp4_announces_nothing_at_once(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    tracemalloc.start()
    began = monotonic()
    try:
        assert announced_by(path).samples == 0
        assert monotonic() - began < 2
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_tables_cut_anywhere_are_read_or_passed_over(tmp_path: Path) -> None:
    whole = BOMBS["fragment"]
    path = tmp_path / "cut.mp4"
    for size in np.linspace(9, len(whole), 60).astype(int):
        path.write_bytes(whole[:size])
        announced_by(path)
