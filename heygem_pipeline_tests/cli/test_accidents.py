"""Where nothing can be written, the disk has no byte left or the history is damaged, every command says a sentence."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.storage.ballast_file import keep_ballast
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.operations.test_retention import write

PLACES = ("/proc/clip", "/proc/nothing/clip", "/dev/null/clip", "/sys/clip")
DISK = 100
"""Megabytes."""


@pytest.mark.parametrize("place", PLACES)
def test_an_output_where_nothing_can_be_written_is_a_sentence(data: DataFolders, tmp_path: Path, place: str) -> None:
    for name in ("voice.wav", "anna.mp4"):
        (tmp_path / name).write_bytes(b"never looked at")
    given = "--audio", tmp_path / "voice.wav", "--template", tmp_path / "anna.mp4"
    for command in (("generate", *given, "--output", f"{place}.mp4"), ("backup", f"{place}.tar")):
        done = heygem(*command)
        assert done.exit_code == 2 and "Nothing can be written into" in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("place", ["/proc/data", "/dev/null"])
def test_a_data_folder_where_nothing_can_be_written_is_a_sentence(place: str) -> None:
    for command in ("status", "ingest", "batch", "prune"):
        done = heygem(command, HEYGEM_DATA=place)
        assert done.exit_code == 3 and len(done.stderr.splitlines()) == 1, done.output


def test_a_damaged_history_is_a_sentence(data: DataFolders) -> None:
    (data.state / "history" / "runs.db").write_bytes(b"no database" * 1000)
    for command in ("status", "ingest", "batch", "prune"):
        done = heygem(command)
        assert done.exit_code == 3 and "history of runs" in done.stderr and "damaged" in done.stderr, done.output
        assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def small_disk(new_data: DataFolders, databases: Path) -> Iterator[DataFolders]:
    """The data folder on a disk of its own."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "none", str(new_data.root)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    new_data.make()
    shutil.copytree(databases, new_data.state, dirs_exist_ok=True)
    yield new_data
    subprocess.run(["umount", "--lazy", str(new_data.root)], check=True)


def fill(folders: DataFolders) -> None:
    """Leave no byte."""
    with (folders.root / "filler").open("wb") as file, suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(1 << 12))


@pytest.mark.parametrize("with_reserve", [True, False])
def test_without_a_free_byte_every_command_says_so_and_prune_makes_room(
    small_disk: DataFolders, with_reserve: bool
) -> None:
    for name in ("one", "two"):
        write(small_disk.voices / f"{name}.wav", name.encode())
        write(small_disk.presenters / f"{name}.mp4", name.encode())
    patches = write(small_disk.patches(ClipKey("one", "one")), bytes(8 << 20), days=30)
    write(small_disk.clip(ClipKey("one", "one")), b"clip", days=1)
    write(small_disk.report(ClipKey("one", "one")), b"{}", days=1)
    with open_instance(small_disk) as instance:
        take_in_uploads(instance, small_disk)
    if with_reserve:
        keep_ballast(small_disk)
        assert small_disk.ballast.stat().st_size > 0
    fill(small_disk)
    for command in (["status"], ["ingest"], ["batch"], ["retry"], ["backup", str(small_disk.root.parent / "b.tar")]):
        done = heygem(*command)
        assert done.exception is None or isinstance(done.exception, SystemExit), (command, done.exception)
        assert done.exit_code == 0 or "no room" in done.stderr, (command, done.output)
        assert "Traceback" not in done.output and "Logging error" not in done.output
    done = heygem("prune")
    assert done.exit_code == 0, done.output
    assert "8.4 MB were removed." in done.stdout and not patches.exists()
