"""Small made files of sound and picture."""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from heygem_pipeline.media.ffmpeg_program import find_ffmpeg

COUNTED = "nullsrc=size=64x48:rate=25:duration=2,geq=lum=16+4*N:cb=128:cr=128"
"""50 grey frames, each 4 levels of luma brighter than the one before."""

MOVING = "testsrc2=size=160x120:rate=25:duration=2"
TONE = "sine=frequency=440:sample_rate=44100:duration=2"

MakeMedia = Callable[..., Path]


def run_ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; a failure shows what it said."""
    command = [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *arguments]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr


DISPLAY_MATRICES = {
    "90": (0, 1, -1, 0),
    "180": (-1, 0, 0, -1),
    "270": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "mirrored and 90": (0, 1, 1, 0),
}
"""(a, b, c, d) of an MP4 track header: a stored (x, y) is shown at (a x + c y, b x + d y)."""


def turned(video: Path, matrix: tuple[int, int, int, int], folder: Path) -> Path:
    """Copy an MP4 and replace its (unturned) display matrix, as a phone held otherwise writes it."""

    def stored(a: int, b: int, c: int, d: int) -> bytes:
        return struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)

    content = video.read_bytes()
    header = content.index(b"tkhd")
    before, after = content[:header], content[header:]
    path = folder / "turned.mp4"
    path.write_bytes(before + after.replace(stored(1, 0, 0, 1), stored(*matrix), 1))
    return path


@pytest.fixture(scope="session")
def make_media(tmp_path_factory: pytest.TempPathFactory) -> MakeMedia:
    """make_media("a.mp4", "-i", ..., ...) makes a file by ffmpeg from generated sources, once for the same request."""
    made: dict[tuple[str | Path, ...], Path] = {}

    def make(name: str, *arguments: str | Path) -> Path:
        request = (name, *arguments)
        if request not in made:
            path = tmp_path_factory.mktemp("media") / name
            run_ffmpeg(*arguments, f"file:{path}")
            made[request] = path
        return made[request]

    return make


@pytest.fixture
def moving(make_media: MakeMedia) -> Path:
    """Two seconds of moving picture with a tone, 160 x 120 at 25 frames/s, in an MP4 with one key frame a second."""
    return make_media("moving.mp4", "-f", "lavfi", "-i", MOVING, "-f", "lavfi", "-i", TONE, "-g", "25", "-shortest")


@pytest.fixture
def tone(make_media: MakeMedia) -> Path:
    """Two seconds of a 440 Hz tone, mono, 44 100 Hz."""
    return make_media("tone.wav", "-f", "lavfi", "-i", TONE)
