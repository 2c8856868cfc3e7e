"""What is computed of a presenter is kept for every voice, whole or not at all, and within its room."""

import os
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import DiskFull
from heygem_pipeline.lipsync.musetalk import face_encodings
from heygem_pipeline.lipsync.musetalk.face_encodings import BYTES, HEADER_BYTES, SHAPE, FaceEncodings

ROOM = 10 * (BYTES * 10 + HEADER_BYTES)


def latents(number: int) -> np.ndarray:
    return np.full(SHAPE, number, np.float16)


def kept(path: Path, identity: str, *frames: int, most: int = ROOM) -> None:
    encodings = FaceEncodings(path, identity, 8, most)
    for frame in frames:
        encodings.add(frame, latents(frame))
    encodings.save()
    encodings.close()


def known(path: Path, identity: str) -> dict[int, int]:
    encodings = FaceEncodings(path, identity, 8, ROOM)
    found = {frame: one for frame in range(8) if (one := encodings.get(frame)) is not None}
    assert all((one == one[0, 0, 0]).all() for one in found.values())
    assert len(encodings) == len(found)
    encodings.close()
    return {frame: int(one[0, 0, 0]) for frame, one in found.items()}


def test_a_later_clip_finds_them_and_adds_its_own(tmp_path: Path) -> None:
    path = tmp_path / "讲者.latents"
    kept(path, "a", 0, 1, 5)
    assert known(path, "a") == {0: 0, 1: 1, 5: 5}
    kept(path, "a", 7)
    assert known(path, "a") == {0: 0, 1: 1, 5: 5, 7: 7}
    assert path.stat().st_size == HEADER_BYTES + 8 + 8 * BYTES
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_those_of_another_presenter_tracker_or_weights_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.latents"
    kept(path, "a", 0, 1)
    assert known(path, "b") == {}
    kept(path, "b", 3)
    assert known(path, "b") == {3: 3} and known(path, "a") == {}


@pytest.mark.parametrize("damage", [b"", b"\xff" * 400, None])
def test_a_damaged_file_counts_for_nothing(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "a.latents"
    kept(path, "a", 0, 1)
    path.write_bytes(path.read_bytes()[:-1] if damage is None else damage)
    assert known(path, "a") == {}


def test_what_was_used_longest_ago_makes_room(tmp_path: Path) -> None:
    room = 2 * (HEADER_BYTES + 8 + 8 * BYTES)
    for age, name in ((300, "old"), (200, "older"), (100, "new")):
        kept(tmp_path / name, "a", 1, most=room)
        if (tmp_path / name).exists():
            os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
        if name == "older":
            known(tmp_path / "old", "a")
    assert {path.name for path in tmp_path.iterdir()} == {"old", "new"}


def test_without_room_nothing_is_kept_and_everything_works(tmp_path: Path) -> None:
    path = tmp_path / "a.latents"
    encodings = FaceEncodings(path, "a", 8, 0)
    encodings.add(2, latents(2))
    assert int(np.asarray(encodings.get(2))[0, 0, 0]) == 2
    encodings.save()
    encodings.close()
    assert not path.exists()


def test_a_full_disk_costs_time_and_no_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encodings = FaceEncodings(tmp_path / "a.latents", "a", 8, ROOM)
    encodings.add(2, latents(2))

    def full(_: Path) -> object:
        raise DiskFull("storage.disk_full", file="a")

    monkeypatch.setattr(face_encodings, "atomic_path", full)
    encodings.save()
    encodings.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_while_it_is_drawn_costs_time_and_no_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, _: int) -> None: ...

        def write(self, _: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None: ...

    encodings = FaceEncodings(None, "", 8)
    encodings.close()
    monkeypatch.setattr(encodings, "_spool", Full())
    encodings.add(2, latents(2))
    assert encodings.get(2) is None


def test_of_a_library_call_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    encodings = FaceEncodings(None, "", 8)
    encodings.add(2, latents(2))
    assert encodings.get(2) is not None
    encodings.save()
    encodings.close()
    assert list(tmp_path.iterdir()) == []
