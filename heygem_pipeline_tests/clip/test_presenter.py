from pathlib import Path

import pytest

from heygem_pipeline.clip.presenter import track_presenter
from heygem_pipeline.settings import DEFAULTS
from heygem_pipeline.speech.analysis import analyse_speech
from heygem_pipeline.speech.mel import HOP, SAMPLE_RATE
from heygem_pipeline_tests.media.conftest import run_ffmpeg


def test_the_presenters_own_sound_is_heard_when_the_picture_shows_it(material: Path, tmp_path: Path) -> None:
    """A microphone that was switched on 0.4 s after the camera."""
    path = tmp_path / "late.mkv"
    both = ["-i", material / "presenter.mp4", "-itsoffset", "0.4", "-i", material / "voice.wav"]
    run_ffmpeg(*both, "-c:v", "copy", "-c:a", "flac", path)
    late = track_presenter(path, settings=DEFAULTS).own_speech
    voice = analyse_speech(material / "voice.wav")
    assert late is not None
    assert float(late.duration - voice.duration) == pytest.approx(0.4, abs=0.03)
    begun = [int((speech.level > -60).argmax()) * HOP / SAMPLE_RATE for speech in (late, voice)]
    assert begun[0] - begun[1] == pytest.approx(0.4, abs=0.03)
