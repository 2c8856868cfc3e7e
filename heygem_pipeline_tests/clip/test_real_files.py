"""Every awkward real file ends in a good clip or in one sentence."""

from pathlib import Path

import pytest

from heygem_pipeline.clip.generate import generate_clip
from heygem_pipeline.errors import BadInput
from heygem_pipeline.media.probe import probe_video
from heygem_pipeline.quality.report import Verdict
from heygem_pipeline_tests.conftest import REAL_CLIPS, swaying_presenter, write_video, write_voice

pytestmark = pytest.mark.long(minutes=2)

PRESENTERS = sorted((REAL_CLIPS / "nasty").glob("*"))
VOICES = sorted((REAL_CLIPS / "audio_dirty").glob("*"))


@pytest.fixture(scope="module")
def small_presenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good and soon drawn: here the voices are awkward."""
    path = tmp_path_factory.mktemp("small") / "presenter.mp4"
    write_video(path, [frame[::2, ::2].copy() for frame in swaying_presenter(8)])
    return path


def assert_good_clip_or_sentence(voice: Path, presenter: Path, output: Path) -> None:
    try:
        report = generate_clip(voice, presenter, output)
    except BadInput as error:
        assert "\n" not in str(error) and str(error).endswith(".")
        assert list(output.parent.glob("*.mp4")) == []
        return
    assert probe_video(output).packet_count == report.frames
    assert {check.name: check.verdict for check in report.checks}["sound_and_picture_agree"] is Verdict.PASSED


@pytest.mark.parametrize("presenter", PRESENTERS, ids=lambda path: path.name)
def test_awkward_presenters(presenter: Path, tmp_path: Path) -> None:
    write_voice(tmp_path / "voice.wav", 0.8)
    assert_good_clip_or_sentence(tmp_path / "voice.wav", presenter, tmp_path / "out" / "clip.mp4")


@pytest.mark.parametrize("voice", VOICES, ids=lambda path: path.name)
def test_awkward_voices(voice: Path, small_presenter: Path, tmp_path: Path) -> None:
    assert_good_clip_or_sentence(voice, small_presenter, tmp_path / "out" / "clip.mp4")
