"""Files appear whole or not at all."""

import errno
from pathlib import Path

import pytest

from heygem_pipeline.errors import DiskFull
from heygem_pipeline.storage.atomic import atomic_path, require_space


def test_the_file_is_not_there_until_it_is_whole(tmp_path: Path) -> None:
    destination = tmp_path / "clip.mp4"
    with atomic_path(destination) as temporary:
        temporary.write_bytes(b"half")
        assert not destination.exists()
        assert temporary.name.startswith(".") and temporary.suffix == ".mp4"
    assert destination.read_bytes() == b"half"


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    destination = tmp_path / "clip.mp4"
    destination.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic_path(destination) as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    assert destination.read_bytes() == b"old"


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match=r"clip\.mp4"), atomic_path(tmp_path / "clip.mp4") as temporary:
        temporary.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_disk_holds_is_refused_before(tmp_path: Path) -> None:
    with pytest.raises(DiskFull):
        require_space(tmp_path / "not" / "yet" / "there.mp4", 2**60)
