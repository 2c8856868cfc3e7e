from pathlib import Path

import pytest

from heygem_pipeline.clip.presenter import track_presenter
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.settings import DEFAULTS
from heygem_pipeline.speech.mel import HOP, SAMPLE_RATE
from heygem_pipeline_tests.media.conftest import run_ffmpeg


def test_the_presenters_own_sound_is_heard_when_the_picture_shows_it(material: Path, tmp_path: Path) -> None:
    """A microphone that was switched on 0.4 s after the camera."""
    path = tmp_path / "late.mkv"
    both = ["-i", material / "presenter.mp4", "-itsoffset", "0.4", "-i", material / "voice.wav"]
    run_ffmpeg(*both, "-c:v", "copy", "-c:a", "flac", path)
    late = track_presenter(path, settings=DEFAULTS).own_speech
    assert late is not None
    assert float(late.duration - read_sound(material / "voice.wav").duration) == pytest.approx(0.4, abs=0.03)
    heard = late.level > -60
    assert float(heard.argmax()) * HOP / SAMPLE_RATE == pytest.approx(0.4, abs=0.1)
