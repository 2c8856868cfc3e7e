"""What the doctor says of the place that it is called in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from heygem_pipeline.cli.doctor import data_findings
from heygem_pipeline.settings import settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEYGEM_DATA", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_outside_the_projects_folder_the_doctor_says_what_is_missing(tmp_path: Path) -> None:
    (finding,) = data_findings()
    assert (finding.subject, finding.sign, finding.fatal) == ("data folder", "missing", True)
    assert str(tmp_path) in finding.found and "HEYGEM_DATA" in finding.mend


def test_a_data_folder_in_the_current_one_is_well(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    folder, disk = data_findings()
    assert (folder.well, folder.found, disk.subject) == (True, str(tmp_path / "data"), "disk")
