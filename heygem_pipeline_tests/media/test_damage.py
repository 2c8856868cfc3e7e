"""However a file is damaged, it ends in frames and samples or in a named error, and nothing hangs or crashes."""

import subprocess
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import BadInput
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline_tests.media.conftest import MakeMedia

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1"]
VOICE = ["-f", "lavfi", "-i", "sine=duration=1"]
KINDS = {
    **{suffix: [*PICTURE, *VOICE, "-g", "12"] for suffix in ("mp4", "mkv", "avi", "flv", "mpg", "ts", "wmv")},
    **dict.fromkeys(("wav", "mp3", "m4a", "aac", "flac", "ogg", "aiff"), VOICE),
    **{suffix: [*PICTURE, "-frames:v", "1"] for suffix in ("png", "jpg", "webp")},
}


def damaged(content: bytes, chance: np.random.Generator) -> bytes:
    """Cut it, or change bytes anywhere or near the beginning, or replace a stretch by zeros of another length."""
    size = len(content)
    changed = bytearray(content)
    match chance.integers(4):
        case 0:
            del changed[chance.integers(1, size) :]
        case 1:
            for place in chance.integers(0, size, 20):
                changed[place] = chance.integers(256)
        case 2:
            for place in chance.integers(0, min(size, 2000), 4):
                changed[place] = chance.integers(256)
        case _:
            start = chance.integers(size)
            changed[start : start + chance.integers(1, 3000)] = bytes(chance.integers(500))
    return bytes(changed) or b"\0"


READING = """
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path
from time import monotonic

from heygem_pipeline.errors import BadInput
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.frame_sequence import FrameSequence

slowest = 0.0
for name in sys.stdin.read().splitlines():
    began = monotonic()
    with suppress(BadInput):
        list(islice(FrameSequence.open(Path(name)).presentation(20), 20))
    with suppress(BadInput):
        read_sound(Path(name))
    slowest = max(slowest, monotonic() - began)
# Not getrusage: its peak is inherited from the process that started this one.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(slowest, int(status["VmHWM"].split()[0]) // 1024)
"""


@pytest.mark.long
def test_damaged_files_take_little_memory_and_time(make_media: MakeMedia, tmp_path: Path) -> None:
    """Several hundred, most of them damaged in their first bytes, where sizes and counts stand."""
    chance = np.random.default_rng(15)
    names = []
    for suffix, source in KINDS.items():
        whole = make_media(f"whole.{suffix}", *source).read_bytes()
        for number in range(25):
            changed = bytearray(whole)
            for place in chance.integers(0, min(len(whole), 600), 3):
                changed[place] = chance.choice(np.array([0, 1, 0x7F, 0x80, 0xFF, chance.integers(256)]))
            names.append(tmp_path / f"{number}.{suffix}")
            names[-1].write_bytes(changed)
    given = "\n".join(map(str, names))
    done = subprocess.run([sys.executable, "-c", READING], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    slowest, megabytes = map(float, done.stdout.split())
    assert slowest < 20
    assert megabytes < 500


@pytest.mark.parametrize("suffix", KINDS)
def test_damage_ends_in_a_named_error_or_in_a_good_clip(suffix: str, make_media: MakeMedia, tmp_path: Path) -> None:
    whole = make_media(f"whole.{suffix}", *KINDS[suffix]).read_bytes()
    chance = np.random.default_rng(2026)
    path = tmp_path / f"damaged.{suffix}"
    for _ in range(30):
        path.write_bytes(damaged(whole, chance))
        with suppress(BadInput):
            sequence = FrameSequence.open(path)
            frames = [frame for _, frame in islice(sequence.presentation(30), 30)]
            assert {frame.shape for frame in frames} == {(sequence.info.height, sequence.info.width, 3)}
            assert len(frames) == 30
        with suppress(BadInput):
            sound = read_sound(path)
            assert len(sound.samples) == round(sound.duration * 16000)
            assert np.isfinite(sound.samples).all()
