import os
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.clip.presenter import current_tracker, track_presenter
from heygem_pipeline.clip.sidecar import (
    Sidecar,
    chosen_tracker,
    read_sidecar,
    read_trim,
    remove_moving,
    write_face,
    write_make_anyway,
    write_moving,
    write_trim,
)
from heygem_pipeline.errors import SidecarWrong
from heygem_pipeline.faces.boxes import FacePlace
from heygem_pipeline.faces.tracker_registry import TRACKERS
from heygem_pipeline.media.trim import WHOLE, Trim
from heygem_pipeline.photographs.photograph import VERSION
from heygem_pipeline.settings import DEFAULTS, Settings
from heygem_pipeline_tests.conftest import write_video


@pytest.fixture
def anna(tmp_path: Path) -> Path:
    return tmp_path / "Anna 第一.v2.mp4"


def write(upload: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    (upload.parent / "Anna 第一.v2.yaml").write_bytes(data)


@pytest.mark.parametrize("usual", ["mesh", "face_alignment"])
def test_a_presenter_without_a_sidecar_has_the_usual_tracker(anna: Path, usual: str) -> None:
    assert chosen_tracker(anna, usual) == usual


def test_the_sidecar_chooses_for_its_presenter_alone(anna: Path) -> None:
    write(anna, "tracker: face_alignment\n")
    assert current_tracker(DEFAULTS, read_sidecar(anna)).startswith("face_alignment ")
    assert current_tracker(DEFAULTS, read_sidecar(anna.with_name("other.mp4"))) == current_tracker(DEFAULTS)


@pytest.mark.parametrize("content", ["", "# tracker: face_alignment\n", "---\n"])
def test_a_sidecar_that_says_nothing_changes_nothing(anna: Path, content: str) -> None:
    write(anna, content)
    assert chosen_tracker(anna, "mesh") == "mesh"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("tracker: mash\n", "'mash'; choose one of: mesh, face_alignment"),
        ("tracker: dlib\n", "'dlib'; choose one of: mesh, face_alignment"),
        ("tracker:\n", "None; choose one of"),
        ("tracker: [mesh]\n", "choose one of"),
        ("Tracker: mesh\n", "only the keys tracker, make_anyway, face, moving, start and end"),
        ("tracker: mesh\nengine: warp\n", "only the keys tracker, make_anyway, face, moving, start and end"),
        ("mesh\n", "only the keys tracker, make_anyway, face, moving, start and end"),
        ("- tracker: mesh\n", "only the keys tracker, make_anyway, face, moving, start and end"),
        ("face: left\n", "such as: face: [0.25, 0.4]"),
        ("face: [0.2, 1.2]\n", "such as: face: [0.25, 0.4]"),
        ("face: [yes, 0.5]\n", "such as: face: [0.25, 0.4]"),
        ("make_anyway: perhaps\n", "make_anyway: true"),
        ("moving: a little\n", "moving: true"),
        ("start: 0:30\n", "for example: start: 2.5"),
        ("start: -1\n", "for example: start: 2.5"),
        ("start: .nan\n", "for example: start: 2.5"),
        ("start: 3\nend: 3\n", "the end behind the start"),
        ("tracker: 'mesh\n", "cannot be read as YAML"),
        (b"\xff\xfetracker", "cannot be read as YAML"),
        ("tracker: !!python/object/apply:os.getcwd []\n", "cannot be read as YAML"),
    ],
)
def test_a_wrong_sidecar_is_named_in_one_sentence(anna: Path, content: str | bytes, told: str) -> None:
    write(anna, content)
    with pytest.raises(SidecarWrong, match=r"^Anna 第一\.v2\.yaml ") as error:
        chosen_tracker(anna, "mesh")
    assert told in str(error.value) and "\n" not in str(error.value)


def test_the_chosen_tracker_follows_the_presenter_and_is_recorded(anna: Path, stand_ins: Path) -> None:
    from heygem_pipeline_tests.faces.stand_in_weights import box_side, paint_face

    unit = 256 / box_side(1.0)
    frame = np.zeros((720, 1280, 3), np.uint8)
    truth = paint_face(frame, (620, 500), unit)
    write_video(anna, [frame] * 2)
    write(anna, "tracker: face_alignment\n")
    presenter = track_presenter(anna, settings=Settings(checkpoints=stand_ins))  # pyright: ignore[reportCallIssue]
    assert presenter.tracker == current_tracker(DEFAULTS, read_sidecar(anna)) and presenter.tracker.startswith(
        "face_alignment "
    )
    assert presenter.tracks.present.all()
    errors = np.linalg.norm(presenter.tracks.landmarks - truth, axis=-1)
    # H.264 keeps colours at half the resolution: some discs are taken for others.
    assert np.median(errors) < 4 * unit


@pytest.mark.parametrize(
    ("text", "tracker"),
    [
        ("", None),
        ("# by hand\ntracker: mesh\nmake_anyway: no\n", "mesh"),
        ("{tracker: mesh}\n", "mesh"),
        ("---\ntracker: mesh\n...\n", "mesh"),
        ("make_anyway:\n  false\n", None),
    ],
)
def test_made_anyway_is_added_however_the_sidecar_is_laid_out(anna: Path, text: str, tracker: str | None) -> None:
    write(anna, text)
    write_make_anyway(anna)
    assert read_sidecar(anna) == Sidecar(tracker, make_anyway=True)
    assert anna.with_suffix(".yaml").read_text(encoding="utf-8").startswith("# by hand") == text.startswith("#")


def test_a_name_too_long_for_a_sidecar_has_none(tmp_path: Path) -> None:
    assert chosen_tracker(tmp_path / ("x" * 252 + ".ts"), "dlib") == "dlib"


def test_a_pipe_a_deep_nest_or_an_endless_file_is_no_sidecar_and_holds_nothing_up(anna: Path) -> None:
    sidecar = anna.with_suffix(".yaml")
    for content in ("[" * 20_000, "a: 1\n" * 200_000, "? [1]\n: 2\n"):
        sidecar.write_text(content)
        with pytest.raises(SidecarWrong):
            chosen_tracker(anna, "mesh")
    sidecar.unlink()
    os.mkfifo(sidecar)
    with pytest.raises(SidecarWrong):
        chosen_tracker(anna, "mesh")


def test_a_chosen_face_is_another_tracker_and_taken_back_the_usual_one(anna: Path) -> None:
    write(anna, "# by hand\ntracker: mesh\n")
    usual = current_tracker(DEFAULTS, read_sidecar(anna))
    write_face(anna, FacePlace(0.25, 0.4))
    assert current_tracker(DEFAULTS, read_sidecar(anna)) == f"{usual} at 0.25,0.4"
    write_make_anyway(anna)
    write_face(anna, FacePlace(0.75, 0.4))
    assert read_sidecar(anna) == Sidecar("mesh", make_anyway=True, face=FacePlace(0.75, 0.4))
    write_face(anna, None)
    assert anna.with_suffix(".yaml").read_text() == "# by hand\ntracker: mesh\nmake_anyway: true\n"
    assert current_tracker(DEFAULTS, read_sidecar(anna)) == usual


def test_only_a_photograph_moves_and_only_where_that_is_said(tmp_path: Path) -> None:
    picture, video = tmp_path / "anna.JPG", tmp_path / "anna.mp4"
    usual = current_tracker(DEFAULTS, read_sidecar(picture))
    assert usual == current_tracker(DEFAULTS)
    assert read_sidecar(picture).moves(usually=True) and not read_sidecar(video).moves(usually=True)
    write_moving(picture, moving=True)
    assert picture.with_suffix(".yaml").read_text() == "moving: true\n"
    assert current_tracker(DEFAULTS, read_sidecar(picture)) == f"{usual} moving {VERSION}"
    assert current_tracker(DEFAULTS, read_sidecar(video)) == usual
    write_make_anyway(picture)
    write_moving(picture, moving=False)
    assert current_tracker(DEFAULTS, read_sidecar(picture)) == usual
    assert not read_sidecar(picture).moves(usually=True) and read_sidecar(picture).make_anyway
    remove_moving(picture)
    assert picture.with_suffix(".yaml").exists()


def test_what_the_pipeline_wrote_of_a_photograph_goes_with_it(tmp_path: Path) -> None:
    picture = tmp_path / "anna.png"
    remove_moving(picture)
    write_moving(picture, moving=True)
    remove_moving(picture)
    assert not picture.with_suffix(".yaml").exists()


class Deaf:
    """A tracker of another package, which cannot be told whom to follow."""

    name, version = "deaf", "1"

    def track(self, *_: object) -> None:
        """Never called."""


def test_a_tracker_that_cannot_be_told_whom_to_follow_says_so(anna: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(TRACKERS), "__getitem__", lambda *_: lambda _networks: Deaf())
    assert current_tracker(DEFAULTS, Sidecar()) == "deaf 1"
    with pytest.raises(SidecarWrong, match="deaf cannot follow"):
        current_tracker(DEFAULTS, Sidecar(face=FacePlace(0.5, 0.5)))


def test_a_part_of_a_video_is_another_version_and_taken_back_the_usual_one(anna: Path) -> None:
    write(anna, "# by hand\ntracker: mesh\n")
    usual = current_tracker(DEFAULTS, read_sidecar(anna))
    write_trim(anna, Trim.of(2.5, 40.25))
    assert read_sidecar(anna).trim == Trim.of(2.5, 40.25)
    assert current_tracker(DEFAULTS, read_sidecar(anna)) == f"{usual} of 2.5..40.25"
    write_trim(anna, Trim.of(0, 7))
    write_face(anna, FacePlace(0.25, 0.4))
    assert anna.with_suffix(".yaml").read_text() == "# by hand\ntracker: mesh\nend: 7.0\nface: [0.25, 0.4]\n"
    write_trim(anna, WHOLE)
    write_face(anna, None)
    assert anna.with_suffix(".yaml").read_text() == "# by hand\ntracker: mesh\n"
    assert current_tracker(DEFAULTS, read_sidecar(anna)) == usual


def test_the_part_of_a_recording_stands_beside_it_alone(tmp_path: Path) -> None:
    voice, sidecar = tmp_path / "lesson.mp3", tmp_path / "lesson.yaml"
    assert read_trim(voice) == WHOLE
    write_trim(voice, Trim.of(1.25))
    assert read_trim(voice) == Trim.of(1.25) and Trim.read(Trim.of(1.25).written) == Trim.of(1.25)
    write_trim(voice, WHOLE)
    assert not sidecar.exists()
    # What somebody else put there says nothing of it.
    sidecar.write_text("course: 7\ntitle: [a, b]\n")
    assert read_trim(voice) == WHOLE
    write_trim(voice, Trim.of(0, 3))
    assert sidecar.read_text() == "course: 7\ntitle: [a, b]\nend: 3.0\n" and read_trim(voice) == Trim.of(0, 3)
    sidecar.write_text("start: now\n")
    with pytest.raises(SidecarWrong, match=r"^lesson\.yaml says"):
        read_trim(voice)
