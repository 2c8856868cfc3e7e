"""However a file is damaged, it ends in frames and samples or in a named error, and nothing hangs or crashes."""

from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import BadInput
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.template import Template
from heygem_pipeline_tests.media.conftest import MakeMedia

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1"]
VOICE = ["-f", "lavfi", "-i", "sine=duration=1"]
KINDS = {
    **{suffix: [*PICTURE, *VOICE, "-g", "12"] for suffix in ("mp4", "mkv", "avi", "flv", "mpg", "ts", "wmv")},
    **dict.fromkeys(("wav", "mp3", "m4a", "aac", "flac", "ogg", "aiff"), VOICE),
    **{suffix: [*PICTURE, "-frames:v", "1"] for suffix in ("png", "jpg")},
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


@pytest.mark.parametrize("suffix", KINDS)
def test_damage_ends_in_a_named_error_or_in_a_good_clip(suffix: str, make_media: MakeMedia, tmp_path: Path) -> None:
    whole = make_media(f"whole.{suffix}", *KINDS[suffix]).read_bytes()
    chance = np.random.default_rng(2026)
    path = tmp_path / f"damaged.{suffix}"
    for _ in range(30):
        path.write_bytes(damaged(whole, chance))
        with suppress(BadInput):
            template = Template.open(path)
            frames = [frame for _, frame in islice(template.presentation(30), 30)]
            assert {frame.shape for frame in frames} == {(template.info.height, template.info.width, 3)}
            assert len(frames) == 30
        with suppress(BadInput):
            sound = read_sound(path)
            assert len(sound.samples) == round(sound.duration * 16000)
            assert np.isfinite(sound.samples).all()
