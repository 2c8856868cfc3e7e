"""Some seconds of a clip, before it is made whole."""

import shutil
from pathlib import Path

import pytest

from heygem_pipeline.clip.excerpt import Stretch, generate_excerpt
from heygem_pipeline.clip.generate import generate_clip
from heygem_pipeline.errors import SpeechTooShort
from heygem_pipeline.media.probe import probe_video
from heygem_pipeline.settings import DEFAULTS
from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice


def test_only_the_seconds_that_are_seen_are_tracked_and_made(tmp_path: Path) -> None:
    write_voice(tmp_path / "long.wav", 4)
    write_video(tmp_path / "anna.mp4", swaying_presenter(60))
    seen: set[tuple[str, int]] = set()
    output = tmp_path / "preview.mp4"

    def note(stage: str, _file: str, _done: int, total: int) -> None:
        seen.add((stage, total))

    report = generate_excerpt(
        tmp_path / "long.wav", tmp_path / "anna.mp4", output, Stretch(1, 2.5), DEFAULTS, progress=note
    )
    assert seen == {("faces", 25), ("clip", 25)} and probe_video(output).frame_count == report.frames == 25
    assert (report.audio, report.template) == ("long.wav", "anna.mp4")


def test_a_stretch_is_what_the_whole_clip_holds(material: Path, tmp_path: Path) -> None:
    voice, presenter = material / "voice.wav", material / "presenter.mp4"
    whole = generate_clip(voice, presenter, tmp_path / "whole.mp4")
    part = generate_excerpt(voice, presenter, tmp_path / "part.mp4", Stretch(5.0), DEFAULTS)
    # As long as the voice, and no longer: both are all of it.
    assert (part.frames, part.engine, part.made_with) == (whole.frames, whole.engine, whole.made_with)
    assert part.checks == whole.checks


def test_a_stretch_behind_the_end_is_refused_and_leaves_nothing(material: Path, tmp_path: Path) -> None:
    shutil.copy(material / "voice.wav", tmp_path)
    with pytest.raises(SpeechTooShort) as refused:
        generate_excerpt(
            tmp_path / "voice.wav", material / "presenter.mp4", tmp_path / "p.mp4", Stretch(5, 9.0), DEFAULTS
        )
    assert refused.value.code == "excerpt.past_end" and "0.8 s long" in str(refused.value)
    assert not (tmp_path / "p.mp4").exists()
