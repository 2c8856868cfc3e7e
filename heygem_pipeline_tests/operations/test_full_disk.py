"""A disk that is full, and one that is gone for a while, under page and daemon at work."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import sleep

import pytest
from dagster import RunsFilter

from heygem_pipeline.operations.recovery import ALIVE
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline_tests.conftest import write_voice
from heygem_pipeline_tests.served import serving, wait_for, wait_until

pytestmark = [pytest.mark.server, pytest.mark.long(minutes=2.5)]

DISK = 200
"""Megabytes."""


@pytest.fixture
def small_disk(data: DataFolders, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataFolders]:
    """The data folder on a disk of its own."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "none", str(data.root)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    monkeypatch.setenv("HEYGEM_KEEP_FREE_GB", "0")
    data.make()
    yield data
    subprocess.run(["umount", "--lazy", str(data.root)], check=True)


def fill(folders: DataFolders) -> Path:
    """Leave no byte."""
    filler = folders.root / "filler"
    with filler.open("wb") as file, suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(1 << 12))
    return filler


def bring_uploads(folders: DataFolders, material: Path) -> None:
    shutil.copy(material / "presenter.mp4", folders.presenters / "presenter.mp4")
    for number in range(2):
        write_voice(folders.voices / f"voice {number}.wav", 1.0, 16_000 + number)


def test_a_full_disk_loses_nothing(
    small_disk: DataFolders, material: Path, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEYGEM_AUTOMATIC", "clips")
    bring_uploads(small_disk, material)
    with open_instance(data_folders()) as instance, serving(port, tmp_path / "up.log") as (up, _):
        wait_for(lambda: bool(instance.get_run_ids(RunsFilter(statuses=ALIVE))))
        filler = fill(small_disk)
        sleep(6)  # looks, writes of runs and their ends, all in vain
        assert up.poll() is None
        filler.unlink()
        wait_until(instance, small_disk, lambda found: found.counts == {State.DONE: 2})


def test_a_data_folder_that_is_gone_for_a_while_loses_nothing(
    data: DataFolders, material: Path, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEYGEM_AUTOMATIC", "clips")
    bring_uploads(data, material)
    with open_instance(data) as instance:
        with serving(port, tmp_path / "up.log") as (up, _):
            wait_for(lambda: bool(instance.get_run_ids(RunsFilter(statuses=ALIVE))))
            data.root.rename(tmp_path / "away")
            assert up.wait(60) == 1
            assert "is gone; put it back" in " ".join((tmp_path / "up.log").read_text().split())
            shutil.rmtree(data.root, ignore_errors=True)
            (tmp_path / "away").rename(data.root)
        with serving(port, tmp_path / "up.log"):
            wait_until(instance, data, lambda found: found.counts == {State.DONE: 2})
