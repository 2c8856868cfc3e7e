import struct
from pathlib import Path

import pytest

from heygem_pipeline.errors import NotMedia
from heygem_pipeline.media.probe import probe_sound, probe_video
from heygem_pipeline_tests.media.conftest import run_ffmpeg


def with_record(video: Path, profile: int, compatible: int) -> bytes:
    """An MP4 whose only picture track also has Dolby's record; its boxes lie behind what they point at."""
    content = video.read_bytes()
    flags = profile << 9 | 6 << 3 | 0b101
    record = struct.pack(">I4sBBHB19x", 32, b"dvcC" if profile < 8 else b"dvvC", 1, 0, flags, compatible << 4)
    entry = content.index(b"avc1", content.index(b"stsd")) - 4
    end = entry + struct.unpack_from(">I", content, entry)[0]
    grown = bytearray(content)
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        place = content.index(name, content.index(b"moov")) - 4
        struct.pack_into(">I", grown, place, struct.unpack_from(">I", grown, place)[0] + len(record))
    return bytes(grown[:end]) + record + bytes(grown[end:])


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plain") / "plain.mp4"
    sources = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1"]
    run_ffmpeg(*sources, "-c:v", "libx264", "-pix_fmt", "yuv420p", path)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize(("profile", "compatible"), [(5, 0), (10, 0)])
def test_a_picture_in_colours_of_dolbys_own_is_refused(
    video: Path, profile: int, compatible: int, suffix: str, tmp_path: Path
) -> None:
    path = dolby(video, profile, compatible, suffix, tmp_path)
    with pytest.raises(NotMedia, match=rf"phone\.{suffix} is Dolby Vision"):
        probe_video(path)
    assert probe_sound(path).duration > 0.9, "what is said in it can be used"


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize(("profile", "compatible"), [(8, 1), (8, 4), (7, 6), (10, 4)])
def test_a_telephones_dolby_vision_is_read_as_the_ordinary_video_it_also_is(
    video: Path, profile: int, compatible: int, suffix: str, tmp_path: Path
) -> None:
    assert probe_video(dolby(video, profile, compatible, suffix, tmp_path)).width == 64


def dolby(video: Path, profile: int, compatible: int, suffix: str, folder: Path) -> Path:
    path = folder / "phone.mp4"
    path.write_bytes(with_record(video, profile, compatible))
    if suffix == "mkv":
        path = folder / "phone.mkv"
        run_ffmpeg("-i", folder / "phone.mp4", "-c", "copy", "-strict", "unofficial", path)
    return path
