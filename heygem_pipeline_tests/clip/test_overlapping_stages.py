"""Decoding, drawing, composing and encoding at the same time: nothing but the time changes."""

import threading
from collections.abc import Callable, Generator, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.clip.finish import MouthDrawing, draw_for, finish_clip
from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import Presenter, track_presenter
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.lipsync.warp.frame_renderer import FrameRenderer, Patch
from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice

STAGES = ("clip.finish", "clip.mouth_patches", "lipsync.warp.engine")
FAILS_AFTER = 6


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> tuple[Voice, Presenter]:
    folder = tmp_path_factory.mktemp("speaking")
    write_video(folder / "presenter.mp4", swaying_presenter(10))
    write_voice(folder / "voice.wav", 1.2)
    return analyse_voice(folder / "voice.wav"), track_presenter(folder / "presenter.mp4")


def pictures_of(clip: Path) -> list[NDArray[Any]]:
    with av.open(str(clip)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def make(speaking: tuple[Voice, Presenter], clip: Path, progress: Callable[[int], None] | None = None) -> Path:
    finish_clip(*speaking, draw_for(*speaking, load_engine("warp")), clip, progress)
    return clip


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ahead"]


def one_after_the_other(items: Iterable[Any], _by: int = 1) -> Generator[Any]:
    yield from items


def test_the_clip_is_the_same_as_with_one_thread(
    speaking: tuple[Voice, Presenter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlapping = pictures_of(make(speaking, tmp_path / "overlapping.mp4"))
    for stage in STAGES:
        monkeypatch.setattr(f"heygem_pipeline.{stage}.prefetch", one_after_the_other)
    engine = load_engine("warp")
    finish_clip(*speaking, MouthDrawing(draw_mouths(*speaking, engine), engine), tmp_path / "alone.mp4")
    alone = pictures_of(tmp_path / "alone.mp4")
    assert len(alone) == 30
    np.testing.assert_array_equal(overlapping, alone)


def test_what_breaks_while_drawing_ends_all_stages(
    speaking: tuple[Voice, Presenter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = count(1)
    render = FrameRenderer.render

    def break_in_the_middle(*given: Any, **named: Any) -> Patch | None:
        if next(drawn) == FAILS_AFTER:
            raise ZeroDivisionError("while drawing")
        return render(*given, **named)

    monkeypatch.setattr(FrameRenderer, "render", break_in_the_middle)
    with pytest.raises(ZeroDivisionError) as failure:
        make(speaking, tmp_path / "clip.mp4")
    # The error that is still held has held nothing back.
    assert (str(failure.value), threads()) == ("while drawing", [])
    assert list(tmp_path.iterdir()) == []


def test_being_told_to_stop_ends_all_stages(speaking: tuple[Voice, Presenter], tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done == FAILS_AFTER:
            raise KeyboardInterrupt("enough")

    with pytest.raises(KeyboardInterrupt) as told:
        make(speaking, tmp_path / "clip.mp4", stop)
    assert (str(told.value), threads()) == ("enough", [])
    assert list(tmp_path.iterdir()) == []
