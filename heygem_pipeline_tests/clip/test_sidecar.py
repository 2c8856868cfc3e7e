from pathlib import Path

import pytest

from heygem_pipeline.clip.presenter import current_tracker
from heygem_pipeline.clip.sidecar import chosen_tracker
from heygem_pipeline.errors import SidecarWrong
from heygem_pipeline.settings import settings


@pytest.fixture
def anna(tmp_path: Path) -> Path:
    return tmp_path / "Anna 第一.v2.mp4"


def write(upload: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    (upload.parent / "Anna 第一.v2.yaml").write_bytes(data)


def test_a_presenter_without_a_sidecar_has_the_tracker_of_the_settings(
    anna: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chosen_tracker(anna) == settings().tracker
    monkeypatch.setenv("HEYGEM_TRACKER", "face_alignment")
    settings.cache_clear()
    assert chosen_tracker(anna) == "face_alignment"
    settings.cache_clear()


def test_the_sidecar_chooses_for_its_presenter_alone(anna: Path) -> None:
    write(anna, "tracker: face_alignment\n")
    assert current_tracker(anna).startswith("face_alignment ")
    assert current_tracker(anna.with_name("other.mp4")) == current_tracker()


@pytest.mark.parametrize("content", ["", "# tracker: face_alignment\n", "---\n"])
def test_a_sidecar_that_says_nothing_changes_nothing(anna: Path, content: str) -> None:
    write(anna, content)
    assert chosen_tracker(anna) == settings().tracker


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("tracker: dlip\n", "'dlip'; choose one of: dlib, face_alignment"),
        ("tracker:\n", "None; choose one of"),
        ("tracker: [dlib]\n", "choose one of"),
        ("Tracker: dlib\n", "only the key tracker"),
        ("tracker: dlib\nengine: warp\n", "only the key tracker"),
        ("dlib\n", "only the key tracker"),
        ("- tracker: dlib\n", "only the key tracker"),
        ("tracker: 'dlib\n", "cannot be read as YAML"),
        (b"\xff\xfetracker", "cannot be read as YAML"),
        ("tracker: !!python/object/apply:os.getcwd []\n", "cannot be read as YAML"),
    ],
)
def test_a_wrong_sidecar_is_named_in_one_sentence(anna: Path, content: str | bytes, told: str) -> None:
    write(anna, content)
    with pytest.raises(SidecarWrong, match=r"^Anna 第一\.v2\.yaml ") as error:
        chosen_tracker(anna)
    assert told in str(error.value) and "\n" not in str(error.value)
