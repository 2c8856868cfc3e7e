"""Relative paths of the settings mean the current folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import heygem_pipeline
from heygem_pipeline.checkpoints.weights import checkpoints_folder
from heygem_pipeline.errors import ProjectMissing
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import data_folders, project_folder

CHECKOUT = Path(heygem_pipeline.__file__).parents[1]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, and no setting names a folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("HEYGEM_DATA", "HEYGEM_CHECKPOINTS"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    return tmp_path


@pytest.fixture(autouse=True)
def _forget_settings(here: Path) -> Iterator[None]:
    yield
    settings.cache_clear()


def test_in_the_projects_folder_the_data_folder_may_still_be_missing(here: Path) -> None:
    for name in ("dagster.yaml", "workspace.yaml"):
        (here / name).touch()
    assert (data_folders().root, project_folder()) == (here / "data", here)


def test_elsewhere_a_data_folder_that_is_there_is_taken(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_DATA", "clips/autumn")
    settings.cache_clear()
    (here / "clips" / "autumn").mkdir(parents=True)
    assert data_folders().root == here / "clips" / "autumn"
    assert project_folder() == CHECKOUT


def test_elsewhere_a_missing_data_folder_is_named_and_not_begun(here: Path) -> None:
    with pytest.raises(ProjectMissing) as raised:
        data_folders()
    assert raised.value.code == "project.no_data_folder"
    assert raised.value.values == {"folder": str(here), "data": "data"}
    for language in ("en", "zh"):
        sentence = raised.value.message.sentence(language)
        assert str(here) in sentence and "HEYGEM_DATA" in sentence
    assert list(here.iterdir()) == []


def test_a_full_path_holds_everywhere(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_DATA", str(here / "elsewhere"))
    settings.cache_clear()
    assert data_folders().root == here / "elsewhere"


def test_weights_lie_in_the_current_folder_too(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkpoints_folder(settings()) == here / "checkpoints"
    monkeypatch.setenv("HEYGEM_CHECKPOINTS", str(here.parent))
    settings.cache_clear()
    assert checkpoints_folder(settings()) == here.parent
