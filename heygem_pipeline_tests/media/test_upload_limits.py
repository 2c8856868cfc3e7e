from pathlib import Path

import pytest

from heygem_pipeline.errors import TooLarge, TooLong
from heygem_pipeline.media.probe import probe_sound, probe_video
from heygem_pipeline.settings import UploadLimits
from heygem_pipeline_tests.media.conftest import MOVING, MakeMedia


def test_longer_files_are_refused(moving: Path, tone: Path) -> None:
    limits = UploadLimits(max_minutes=0.03)
    with pytest.raises(TooLong, match=r"moving\.mp4"):
        probe_video(moving, limits)
    with pytest.raises(TooLong, match=r"tone\.wav"):
        probe_sound(tone, limits)


def test_the_largest_picture_may_stand_or_lie(make_media: MakeMedia, moving: Path) -> None:
    upright = make_media("upright.mp4", "-f", "lavfi", "-i", MOVING, "-vf", "transpose")
    limits = UploadLimits(max_width=160, max_height=120)
    assert probe_video(moving, limits).width == 160
    assert probe_video(upright, limits).height == 160
    for path in (moving, upright):
        with pytest.raises(TooLarge, match=path.name):
            probe_video(path, UploadLimits(max_width=160, max_height=118))
