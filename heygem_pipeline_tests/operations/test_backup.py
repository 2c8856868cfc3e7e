"""A backup of a data folder that is in use, and the folder made from it elsewhere."""

import errno
import os
import tarfile
from io import BytesIO
from pathlib import Path
from threading import Event, Thread

import dagster as dg
import pytest

from heygem_pipeline.errors import AlreadyRunning, BackupUnusable, DiskFull, OutputRefused
from heygem_pipeline.operations.backup import END_MARK, back_up, restore
from heygem_pipeline.runs.data_folder_lock import only_runner
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.storage import atomic
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders


@pytest.fixture
def data(new_data: DataFolders) -> DataFolders:
    """A backup is put only into a folder that holds nothing."""
    return new_data


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_what_cannot_be_made_again_comes_back_elsewhere(data: DataFolders, tmp_path: Path) -> None:
    kept = {
        data.voices / "第一课 🎓.wav": b"voice",
        data.presenters / "teacher.mp4": b"presenter",
        data.scripts / "welcome.de.txt": "Grüß Gott.".encode(),
        data.spoken("welcome.de"): b"recording",
        data.transcript("welcome.de"): b"{}",
        data.root / "campaigns" / "spring.yaml": b"voices: all",
        data.clip(ClipKey("第一课 🎓", "teacher")): b"clip" * 1000,
        data.tracks("teacher"): b"tracks",
        data.report(ClipKey("第一课 🎓", "teacher")): b"{}",
    }
    left_out = {
        data.patches(ClipKey("第一课 🎓", "teacher")): b"patches",
        data.face_encodings("teacher"): b"encodings",
        data.lip_record("teacher"): b"lips",
        data.root / "outputs" / ".writing-0.mp4": b"half",
        data.log_file: b"log",
    }
    for path, content in (kept | left_out).items():
        write(path, content)
    os.utime(data.voices / "第一课 🎓.wav", (1_000_000_000, 1_000_000_000))
    with open_instance(data) as instance:
        take_in_uploads(instance, data)
        run_id = instance.create_run_for_job(a_job).run_id
        copied = back_up(data, tmp_path / "backup.tar")
    assert copied.bytes >= 4000

    there = DataFolders(tmp_path / "new machine" / "data")
    assert restore(there, tmp_path / "backup.tar").files == copied.files
    for path, content in kept.items():
        assert (there.root / path.relative_to(data.root)).read_bytes() == content
    for path in left_out:
        assert not (there.root / path.relative_to(data.root)).exists()
    assert (there.voices / "第一课 🎓.wav").stat().st_mtime == 1_000_000_000
    with open_instance(there) as instance:
        assert set(instance.get_dynamic_partitions("audio")) == {"第一课 🎓", "welcome.de"}
        assert [run.run_id for run in instance.get_runs()] == [run_id]
        assert not any(kind.added for kind in take_in_uploads(instance, there).values())


def test_databases_are_whole_although_written_to_meanwhile(data: DataFolders, tmp_path: Path) -> None:
    stop, added = Event(), []

    def keep_writing() -> None:
        with open_instance(data) as instance:
            while not stop.is_set():
                added.append(f"voice {len(added)}")
                instance.add_dynamic_partitions("audio", [added[-1]])

    with open_instance(data):
        writer = Thread(target=keep_writing)
        writer.start()
        try:
            for count in range(5):
                back_up(data, tmp_path / f"{count}.tar")
        finally:
            stop.set()
            writer.join()
    for count in range(5):
        there = DataFolders(tmp_path / f"restored {count}")
        restore(there, tmp_path / f"{count}.tar")
        with open_instance(there) as instance:
            known = instance.get_dynamic_partitions("audio")
            assert known == added[: len(known)]


def test_a_link_to_a_file_elsewhere_is_not_followed_into_the_backup(data: DataFolders, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"not of the data folder")
    (data.voices / "own.wav").write_bytes(b"own")
    (data.voices / "link.wav").symlink_to(tmp_path / "secret.wav")
    back_up(data, tmp_path / "backup.tar")
    with tarfile.open(tmp_path / "backup.tar") as archive:
        names = archive.getnames()
    assert any(name.endswith("own.wav") for name in names) and not any("link.wav" in name for name in names)


def test_files_behind_links_are_in_the_backup(data: DataFolders, tmp_path: Path) -> None:
    write(tmp_path / "large disk" / "lesson.wav", b"voice")
    data.voices.rmdir()
    data.voices.symlink_to(tmp_path / "large disk")
    back_up(data, tmp_path / "backup.tar")
    there = DataFolders(tmp_path / "restored")
    restore(there, tmp_path / "backup.tar")
    assert (there.voices / "lesson.wav").read_bytes() == b"voice"


def test_a_backup_inside_what_it_copies_is_refused(data: DataFolders) -> None:
    with pytest.raises(OutputRefused):
        back_up(data, data.root / "outputs" / "backup.tar")


def test_nothing_is_overwritten(data: DataFolders, tmp_path: Path) -> None:
    write(data.voices / "lesson.wav", b"voice")
    back_up(data, tmp_path / "backup.tar")
    write(data.voices / "lesson.wav", b"newer")
    with pytest.raises(OutputRefused, match="not empty"):
        restore(data, tmp_path / "backup.tar")
    assert (data.voices / "lesson.wav").read_bytes() == b"newer"


def test_a_folder_that_is_served_is_not_restored_into(data: DataFolders, tmp_path: Path) -> None:
    back_up(data, tmp_path / "backup.tar")
    there = DataFolders(tmp_path / "restored")
    with only_runner(there), pytest.raises(AlreadyRunning):
        restore(there, tmp_path / "backup.tar")


@pytest.mark.parametrize("content", [b"", b"not a backup", b"\0" * 512 * 3 + b"x" * 600])
def test_what_is_no_backup_is_told_in_a_sentence(data: DataFolders, tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "file.tar", content)
    with pytest.raises(BackupUnusable, match=r"file\.tar"):
        restore(data, tmp_path / "file.tar")


@pytest.mark.parametrize("name", ["../outside", "/outside", "audio/../../outside"])
def test_a_made_up_backup_reaches_nothing_outside(data: DataFolders, tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, BytesIO(b"evil"))
    with pytest.raises(BackupUnusable):
        restore(data, tmp_path / "evil.tar")
    assert not list(tmp_path.rglob("outside")) and not Path("/outside").exists()


def test_a_backup_that_was_cut_off_anywhere_is_noticed_before_anything_is_written(
    data: DataFolders, tmp_path: Path
) -> None:
    for number in range(3):
        write(data.voices / f"lesson {number}.wav", bytes(1000))
    back_up(data, tmp_path / "backup.tar")
    whole = (tmp_path / "backup.tar").read_bytes()
    mark = whole.rindex(b"heygem-backup.json")
    there = DataFolders(tmp_path / "restored")
    for length in range(0, mark, 512):
        (tmp_path / "cut.tar").write_bytes(whole[:length])
        with pytest.raises(BackupUnusable):
            restore(there, tmp_path / "cut.tar")
    assert not there.root.exists()


@pytest.mark.parametrize("second", ["../outside", "audio/one.wav/two.wav"])
def test_a_restore_that_is_refused_leaves_nothing(tmp_path: Path, second: str) -> None:
    with tarfile.open(tmp_path / "made up.tar", "w") as archive:
        mark = b'{"files": 2}'
        for name, content in (("audio/one.wav", b"voice"), (second, b"evil"), (END_MARK, mark)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    there = DataFolders(tmp_path / "new" / "data")
    with pytest.raises((BackupUnusable, OSError)):
        restore(there, tmp_path / "made up.tar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made up.tar"]


def test_a_restore_for_which_there_is_no_room_leaves_nothing(
    data: DataFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(data.voices / "lesson.wav", bytes(1000))
    write(data.presenters / "anna.mp4", bytes(1000))
    back_up(data, tmp_path / "backup.tar")
    there = DataFolders(tmp_path / "restored")
    with monkeypatch.context() as patch:
        patch.setattr(atomic, "free_bytes", lambda _: 1999)
        with pytest.raises(DiskFull):
            restore(there, tmp_path / "backup.tar")
    assert not there.root.exists()
    there.voices.mkdir(parents=True)
    written = []

    def full(file: BytesIO, target: object) -> None:
        written.append(file)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("heygem_pipeline.operations.backup.shutil.copyfileobj", full)
    with pytest.raises(DiskFull):
        restore(there, tmp_path / "backup.tar")
    assert list(there.root.rglob("*")) == [there.voices]


@dg.job
def a_job() -> None:
    pass
