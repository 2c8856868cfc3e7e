"""A program's mouth on the presenter's frames; and a program that does wrong."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from heygem_pipeline.errors import LicenceNotAcknowledged, PipelineError, ProgramFailed, ProgramMissing, RecipeWrong
from heygem_pipeline.lipsync.contract.material import HeldPresenter, Material, laid
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.lipsync.program import task
from heygem_pipeline.prefetch import prefetch
from heygem_pipeline.settings import EngineSettings
from heygem_pipeline_tests.lipsync.program.recipes import write_recipe


@pytest.fixture
def tried(closed_lips: HeldPresenter, tmp_path: Path) -> Material:
    return Material(closed_lips, tmp_path, EngineSettings())


def made(
    tried: Material, *wrong: str, frames: int = 20, presenter: HeldPresenter | None = None, **recipe: Any
) -> list[MouthPatch]:
    presenter = presenter or tried.presenter
    path = write_recipe(tried.folder, tried.presenter, *wrong, **recipe)
    engine = load_engine("program", EngineSettings(program=path))
    return list(engine.generate(tried.voice(frames), presenter.sequence, presenter.tracks))


def differences(presenter: HeldPresenter, patches: list[MouthPatch]) -> list[float]:
    """How much darker each frame's lips have become, levels."""
    found = []
    for patch in patches:
        own = presenter.pictures[patch.presenter_frame]
        x, y = presenter.tracks.landmarks[patch.presenter_frame, 48:60].mean(axis=0).astype(int)
        part = np.s_[y - 4 : y + 5, x - 8 : x + 9]
        found.append(float(own[part].mean() - laid(patch, own)[part].mean()))
    return found


def changed_pixels(presenter: HeldPresenter, patch: MouthPatch) -> np.ndarray:
    own = presenter.pictures[patch.presenter_frame]
    return np.abs(laid(patch, own).astype(int) - own).max(axis=2)


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield
    assert [path for path in place.iterdir() if path.suffix != ".lock"] == []


@pytest.fixture(scope="module")
def plain(closed_lips: HeldPresenter, tmp_path_factory: pytest.TempPathFactory) -> list[MouthPatch]:
    """What the program's own picture makes."""
    return made(Material(closed_lips, tmp_path_factory.mktemp("plain"), EngineSettings()))


def test_the_programs_mouth_is_seen_and_little_else_changes(tried: Material, plain: list[MouthPatch]) -> None:
    patches = plain
    assert min(differences(tried.presenter, patches)[3:]) > 25
    changed = changed_pixels(tried.presenter, patches[8])
    x, y = tried.presenter.tracks.landmarks[patches[8].presenter_frame, 48:60].mean(axis=0).astype(int)
    rows, columns = np.nonzero(changed > 6)
    assert np.abs(columns - x).max() < 70 and np.abs(rows - y).max() < 60
    assert (changed > 0).mean() < 0.1


@pytest.mark.parametrize("way", ["tint", "crop", "enlarge"])
def test_what_the_program_does_to_the_rest_of_the_picture_does_not_reach_the_clip(
    tried: Material, plain: list[MouthPatch], way: str
) -> None:
    other = made(tried, way)
    for one, two in zip(plain[4:], other[4:], strict=True):
        apart = laid(one, tried.presenter.pictures[one.presenter_frame]).astype(int) - laid(
            two, tried.presenter.pictures[two.presenter_frame]
        )
        assert np.abs(apart).mean() < 0.35 and np.percentile(np.abs(apart), 99.5) < 16


def test_a_program_that_changes_nothing_changes_nothing(tried: Material) -> None:
    assert all(patch.pixels is None for patch in made(tried, "still"))


def test_pictures_that_come_back_two_frames_later_are_found_again(tried: Material, plain: list[MouthPatch]) -> None:
    late = made(tried, "late")
    one, two = (np.array(differences(tried.presenter, found)) for found in (plain, late))
    np.testing.assert_allclose(two[4:-4], one[4:-4], atol=12)
    assert np.percentile(changed_pixels(tried.presenter, late[12]), 97) < 12


@pytest.mark.parametrize("rate", ["25", "30000/1001", "12.5"])
def test_a_program_with_a_rate_of_its_own_is_given_it_and_fits(tried: Material, rate: str) -> None:
    presenter = replace(tried.presenter, tracks=replace(tried.presenter.tracks, frame_rate=Fraction(30)))
    patches = made(tried, frames=20, presenter=presenter, rate=rate)
    assert [patch.output_frame for patch in patches] == list(range(24))
    assert min(differences(presenter, patches)[3:]) > 20
    changed = changed_pixels(presenter, patches[10])
    assert (changed > 6).mean() < 0.05


def test_missing_last_frames_are_in_the_silence_that_is_held(tried: Material) -> None:
    assert len(made(tried, "shorter")) == 20


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ("crash", "program.crashed", "exit status 1; the last it said: RuntimeError: CUDA out of memory"),
        ("nothing", "program.no_result", "no face found"),
        ("garbage", "program.no_video", "no whole video"),
        ("half", "program.no_video", "no whole video"),
        ("fewer", "program.other_length", "returned 13 frames of the 27"),
        ("more", "program.other_length", "returned 108 frames of the 27"),
        ("rate", "program.other_rate", "30 frames a second, not 25"),
        ("other", "program.other_picture", "something else"),
    ],
)
def test_a_program_that_does_wrong_is_told_in_one_sentence(tried: Material, wrong: str, code: str, said: str) -> None:
    with pytest.raises(ProgramFailed) as told:
        made(tried, wrong)
    assert (
        told.value.code == code and said in str(told.value) and str(told.value).startswith(("Stand-in", "What Stand"))
    )


def is_gone(child: Path) -> bool:
    return not any(
        psutil.pid_exists(int(number)) and psutil.Process(int(number)).status() != psutil.STATUS_ZOMBIE
        for number in child.read_text().split()
    )


def test_a_program_that_hangs_is_ended_with_all_it_started(
    tried: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child"
    monkeypatch.setenv("STAND_IN_CHILD", str(child))

    def seconds() -> float:
        """Time stands still until the program has started all it starts."""
        return 3.0 if child.is_file() and child.read_text() else 0.0

    monkeypatch.setattr(task, "time", SimpleNamespace(monotonic=seconds))
    with pytest.raises(ProgramFailed, match="not done after 2 s"):
        made(tried, "hang", time_limit_seconds=2)
    assert is_gone(child)


def test_a_clip_that_nobody_wants_any_more_ends_its_program_at_once(
    tried: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_CHILD", str(tmp_path / "child"))
    engine = load_engine("program", EngineSettings(program=write_recipe(tmp_path, tried.presenter, "hang")))
    patches = engine.generate(tried.voice(20), tried.presenter.sequence, tried.presenter.tracks)

    def within() -> Iterator[MouthPatch]:
        with closing(prefetch(patches)) as ahead:
            yield from ahead

    def cancel() -> None:
        while not (tmp_path / "child").is_file() or not (tmp_path / "child").read_text():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGUSR1)

    def stop(*_: object) -> None:
        raise InterruptedError

    # As a cancelled run does: its main thread leaves the wait by an exception, and closes what works ahead.
    before = signal.signal(signal.SIGUSR1, stop)
    threading.Thread(target=cancel, daemon=True).start()
    started = time.monotonic()
    try:
        with pytest.raises(InterruptedError):
            next(prefetch(within()))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert is_gone(tmp_path / "child") and time.monotonic() - started < 30


def test_a_program_that_may_not_stand_beside_another_waits_for_it(tried: Material) -> None:
    path = write_recipe(tried.folder, tried.presenter)
    engine = load_engine("program", EngineSettings(program=path))
    speech, presenter = tried.voice(12), tried.presenter
    results: list[int] = []

    def work() -> None:
        results.append(len(list(engine.generate(speech, presenter.sequence, presenter.tracks))))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [12, 12]


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        ({"command": {"program": "/nowhere/python"}}, "program.not_installed"),
        ({"command": {"program": "no-such-program-here"}}, "program.not_installed"),
        ({"command": {"program": "sh", "folder": "/nowhere"}}, "program.no_folder"),
        ({"command": {"program": "sh", "folder": "/", "needs": ["weights.bin"]}}, "program.file_missing"),
    ],
)
def test_what_is_missing_is_told_before_any_work(tried: Material, recipe: dict[str, Any], code: str) -> None:
    with pytest.raises(ProgramMissing) as told:
        load_engine("program", EngineSettings(program=write_recipe(tried.folder, tried.presenter, **recipe)))
    assert told.value.code == code


def test_a_research_licence_has_to_be_acknowledged(tried: Material) -> None:
    path = write_recipe(tried.folder, tried.presenter, research_only=True)
    with pytest.raises(LicenceNotAcknowledged, match="HEYGEM_ACKNOWLEDGED_LICENCES=stand-in"):
        load_engine("program", EngineSettings(program=path))
    known = EngineSettings(program=path, acknowledged_licences=("stand-in",))
    assert load_engine("program", known).version.startswith("1 (stand-in ")


def test_another_recipe_is_another_version(tried: Material) -> None:
    versions = set()
    for late in (0, 0.04):
        path = write_recipe(tried.folder, tried.presenter, late_seconds=late)
        versions.add(load_engine("program", EngineSettings(program=path)).version)
    assert len(versions) == 2


def test_without_a_recipe_it_is_said_what_to_set() -> None:
    with pytest.raises(RecipeWrong, match="HEYGEM_PROGRAM"):
        load_engine("program", EngineSettings())


def test_nothing_of_a_users_text_reaches_a_shell(tried: Material, tmp_path: Path) -> None:
    odd = tmp_path / "$(touch oops); `touch oops` & voice.wav"
    speech = tried.voice(10)
    assert speech.sound is not None
    speech.sound.rename(odd)
    engine = load_engine("program", EngineSettings(program=write_recipe(tmp_path, tried.presenter)))
    assert (
        len(list(engine.generate(replace(speech, sound=odd), tried.presenter.sequence, tried.presenter.tracks))) == 10
    )
    assert not any(Path(folder, "oops").exists() for folder in (tmp_path, tmp_path / "tmp", Path.cwd(), os.sep))


def test_its_errors_are_not_tried_again() -> None:
    from heygem_pipeline.errors import NotReady

    assert issubclass(ProgramFailed, NotReady) and issubclass(ProgramFailed, PipelineError)
