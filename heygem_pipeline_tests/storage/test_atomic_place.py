"""Whole files get names of their own, also where the disk knows no hard links."""

import errno
import os
from pathlib import Path

import pytest

from heygem_pipeline.storage.atomic import place
from heygem_pipeline.uploads.settling import Settling


@pytest.fixture(params=["hard links", "no hard links"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def refuse(*_paths: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", refuse)
    return tmp_path


def whole(disk: Path) -> Path:
    path = disk / ".receiving-1"
    path.write_bytes(b"whole")
    return path


def test_a_file_moves_to_the_first_name_that_is_free(disk: Path) -> None:
    (disk / "a.wav").write_bytes(b"before")
    (disk / "b.wav").symlink_to("nowhere")
    assert place(whole(disk), (disk / name for name in ("a.wav", "b.wav", "c.wav", "d.wav"))) == disk / "c.wav"
    assert (disk / "a.wav").read_bytes() == b"before" and (disk / "b.wav").is_symlink()
    assert (disk / "c.wav").read_bytes() == b"whole"
    assert sorted(path.name for path in disk.iterdir()) == ["a.wav", "b.wav", "c.wav"]


def test_where_no_name_is_free_nothing_changes(disk: Path) -> None:
    (disk / "a.wav").write_bytes(b"before")
    with pytest.raises(FileExistsError):
        place(whole(disk), [disk / "a.wav"])
    assert {path.name: path.read_bytes() for path in disk.iterdir()} == {"a.wav": b"before", ".receiving-1": b"whole"}


def test_a_name_that_is_only_taken_yet_is_no_upload(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bool, bool]] = []
    rename = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append((target.stat().st_size == 0, Settling({})(target)))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    place(whole(disk), [disk / "a.wav"])
    assert seen in ([], [(True, False)])
    assert (disk / "a.wav").read_bytes() == b"whole"


def test_a_rename_that_fails_leaves_no_empty_file(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_paths: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="Input/output"):
        place(whole(disk), [disk / "a.wav"])
    assert [path.name for path in disk.iterdir()] == [".receiving-1"]
