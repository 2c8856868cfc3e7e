from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.clip.photograph_motion import PhotographMotion
from heygem_pipeline.clip.presenter import current_tracker, load_presenter, save_presenter, track_presenter
from heygem_pipeline.demo.portraits import ASTRONAUT
from heygem_pipeline.errors import StageMissing
from heygem_pipeline.photographs import idle_motion
from heygem_pipeline.photographs.photograph import VERSION, Eyes
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


def test_a_photograph_that_moves_is_drawn_on_the_frames_that_were_tracked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in another process, which knows of it what was stored."""
    import cv2

    monkeypatch.setattr(idle_motion, "SECONDS", 2)
    monkeypatch.setattr(idle_motion, "SLOWEST_SWING", 2.0)
    monkeypatch.setattr(idle_motion, "FASTEST_SWING", 1.0)
    monkeypatch.setattr(idle_motion, "FROM_THE_ENDS", (0.5, 0.6))
    path, stored, speech = tmp_path / "collins.png", tmp_path / "tracks.parquet", tmp_path / "speech.parquet"
    cv2.imwrite(str(path), ASTRONAUT.photograph())
    still, moving = track_presenter(path, settings=DEFAULTS), track_presenter(path, settings=DEFAULTS, moving=True)
    assert (len(still.tracks), still.tracker, still.motion) == (1, current_tracker(DEFAULTS), None)
    assert (len(moving.tracks), moving.tracker) == (50, f"{still.tracker} moving {VERSION}")
    blinking = PhotographMotion(VERSION, None, Eyes.BLINK)
    assert moving.motion == blinking and blinking.hints == []
    nose = moving.tracks.landmarks[:, 30]
    assert np.ptp(nose, axis=0).max() > 0.5

    save_presenter(moving, stored, speech)
    loaded = load_presenter(stored, speech, path, DEFAULTS)
    assert loaded.motion == moving.motion
    first, second = (np.stack(list(presenter.open().frames())) for presenter in (moving, loaded))
    assert np.array_equal(first, second) and not np.array_equal(first[0], first[20])
    other = replace(loaded, motion=PhotographMotion("0", None, Eyes.BLINK))
    with pytest.raises(StageMissing):
        other.open()
