"""The sensor that sees uploads come, grow, change and go."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from heygem_pipeline.orchestration.sensors import uploads
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads import settling
from heygem_pipeline.uploads.registry import UploadKind, Uploads
from heygem_pipeline_tests.cli.commands import heygem


class Ticks:
    """Evaluates the sensor as the daemon does, handing its cursor on."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: str | None = None

    def tick(self) -> str:
        with dg.build_sensor_context(self.instance, cursor=self.cursor) as context:
            result = uploads(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor if result.cursor is not None else self.cursor
        assert result.skip_reason is not None and result.skip_reason.skip_message is not None
        return result.skip_reason.skip_message

    def keys(self, kind: str = "audio") -> list[str]:
        return sorted(self.instance.get_dynamic_partitions(kind))


@pytest.fixture
def ticks(data: DataFolders, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ticks]:
    monkeypatch.setattr(
        settling, "STILL_SECONDS", 3600.0
    )  # only a second look settles a file, however slow the test is
    with open_instance(data) as instance:
        yield Ticks(instance)


def test_a_file_is_taken_in_when_it_stood_still_between_two_looks(ticks: Ticks, data: DataFolders) -> None:
    (data.voices / "第一课.wav").write_bytes(b"sound")
    assert "1 files are new or changed" in ticks.tick() and ticks.keys() == []
    assert "audio, new: 第一课." in ticks.tick() and ticks.keys() == ["第一课"]
    assert ticks.tick() == "No change: 1 audio, 0 template." and ticks.cursor == "{}"


def test_a_file_whose_last_change_is_long_past_needs_no_second_look(
    ticks: Ticks, data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "STILL_SECONDS", 0.0)
    (data.presenters / "anna.mp4").write_bytes(b"picture")
    ticks.tick()
    assert ticks.keys("template") == ["anna"]


def test_a_growing_file_waits_and_so_does_one_whose_time_changes(ticks: Ticks, data: DataFolders) -> None:
    path = data.voices / "lesson.wav"
    for length in range(1, 4):
        path.write_bytes(b"x" * length)
        ticks.tick()
    os.utime(path, (1, 1))
    ticks.tick()
    assert ticks.keys() == []
    ticks.tick()
    assert ticks.keys() == ["lesson"]


def test_the_empty_file_that_holds_a_downloads_place_waits(ticks: Ticks, data: DataFolders) -> None:
    part = data.voices / "lesson.wav.part"
    (data.voices / "lesson.wav").touch()
    part.write_bytes(b"half")
    ticks.tick()
    ticks.tick()
    assert ticks.keys() == []
    part.replace(data.voices / "lesson.wav")
    ticks.tick()
    ticks.tick()
    assert ticks.keys() == ["lesson"]


def test_a_replaced_file_keeps_its_key_and_its_old_fingerprint_until_it_is_complete(
    ticks: Ticks, data: DataFolders
) -> None:
    path = data.voices / "lesson.wav"
    path.write_bytes(b"first")
    ticks.tick()
    ticks.tick()
    known = Uploads(data).known(UploadKind.VOICE)
    path.write_bytes(b"second")
    ticks.tick()
    assert Uploads(data).known(UploadKind.VOICE) == known
    ticks.tick()
    assert Uploads(data).known(UploadKind.VOICE)["lesson"].fingerprint != known["lesson"].fingerprint
    assert ticks.keys() == ["lesson"]


def test_a_deleted_file_retires_its_key_and_leaves_its_outputs(ticks: Ticks, data: DataFolders) -> None:
    path, clip = data.voices / "lesson.wav", data.clip(ClipKey("lesson", "anna"))
    path.write_bytes(b"sound")
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"clip")
    ticks.tick()
    ticks.tick()
    path.unlink()
    assert "audio, gone: lesson." in ticks.tick()
    assert ticks.keys() == [] and clip.exists()


def test_a_folder_that_is_not_there_retires_nothing(ticks: Ticks, data: DataFolders) -> None:
    (data.voices / "lesson.wav").write_bytes(b"sound")
    ticks.tick()
    ticks.tick()
    data.voices.rename(data.root / "away")
    assert str(data.voices) in ticks.tick()
    assert ticks.keys() == ["lesson"]


def test_five_hundred_files_at_once_are_taken_in_in_bounded_looks(ticks: Ticks, data: DataFolders) -> None:
    for number in range(500):
        (data.voices / f"lesson {number}.wav").write_bytes(b"sound %d" % number)
    counts = []
    while len(counts) < 5:
        ticks.tick()
        counts.append(len(ticks.keys()))
    assert counts == [0, 200, 400, 500, 500]


def test_few_large_files_are_read_in_one_look_but_always_one(
    ticks: Ticks, data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "BYTES_A_LOOK", 10)
    for name, size in (("a", 50), ("b", 4), ("c", 5), ("d", 5)):
        (data.voices / f"{name}.wav").write_bytes(b"x" * size)
    seen = [(ticks.tick(), ticks.keys())[1] for _ in range(4)]
    assert seen == [[], ["a"], ["a", "b", "c"], ["a", "b", "c", "d"]]


def test_a_name_that_is_no_unicode_is_seen_like_any_other(ticks: Ticks, data: DataFolders) -> None:
    (data.voices / os.fsdecode("课程.wav".encode("gbk"))).write_bytes(b"sound")
    ticks.tick()
    assert ticks.cursor is not None and ticks.cursor.isascii()
    ticks.tick()
    assert len(ticks.keys()) == 1


@pytest.mark.parametrize(
    "name",
    [b"\xbd\xb2.wav", ("好" * 83 + "ab.wav").encode(), b"x" * 252 + b".ts"],
    ids=["GBK", "255 bytes", "short ending"],
)
def test_whatever_the_file_system_takes_for_a_name_is_taken_in(name: bytes, ticks: Ticks, data: DataFolders) -> None:
    (data.voices / os.fsdecode(name)).write_bytes(b"sound")
    ticks.tick()
    ticks.tick()
    (key,) = ticks.keys()
    assert Uploads(data).find(UploadKind.VOICE, key).read_bytes() == b"sound"
    assert "No change" in ticks.tick()


def test_a_disk_that_is_not_mounted_is_no_folder_of_deleted_voices(ticks: Ticks, data: DataFolders) -> None:
    for folder, name in ((data.voices, "lesson.wav"), (data.presenters, "anna.mp4")):
        (folder / name).write_bytes(b"content")
    ticks.tick()
    ticks.tick()
    data.voices.rename(data.root / "disk")
    data.voices.mkdir()  # what a disk is mounted on
    for _ in range(2):
        assert "a disk may be away" in ticks.tick()
    take_in_uploads(ticks.instance, data)
    assert ticks.keys() == ["lesson"] and "lesson" in Uploads(data).known(UploadKind.VOICE)
    done = heygem("ingest")
    assert done.exit_code == 1 and "a disk may be away" in done.stderr
    assert plan(ticks.instance, data, settings()).voices["lesson"].state is State.WAITING
    data.voices.rmdir()
    (data.root / "disk").rename(data.voices)
    assert ticks.tick() == "No change: 1 audio, 1 template."
    (data.voices / "lesson.wav").unlink()
    ticks.tick()
    assert ticks.keys() == []


def test_a_link_to_a_disk_that_is_away_keeps_its_voices(ticks: Ticks, data: DataFolders) -> None:
    data.voices.rename(data.root / "disk")
    data.voices.symlink_to(data.root / "disk")
    (data.voices / "lesson.wav").write_bytes(b"content")
    take_in_uploads(ticks.instance, data)
    (data.root / "disk").rename(data.root / "elsewhere")
    assert heygem("status").exit_code == 0
    assert "a disk may be away" in ticks.tick() and ticks.keys() == ["lesson"]


def test_a_file_that_its_disk_cannot_read_holds_no_other_up(
    ticks: Ticks, data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "STILL_SECONDS", 0.0)
    (data.voices / "known.wav").write_bytes(b"sound")
    ticks.tick()
    for name in ("bad.wav", "good.wav"):
        (data.voices / name).write_bytes(b"sound")
    fail_on(monkeypatch, "stat", "known.wav")
    fail_on(monkeypatch, "open", "bad.wav")
    ticks.tick()
    assert ticks.keys() == ["bad", "good", "known"]


def fail_on(monkeypatch: pytest.MonkeyPatch, what: str, name: str) -> None:
    """Let the disk fail (EIO) on one file."""
    real = getattr(Path, what)

    def failing(path: Path, *arguments: object, **more: object) -> object:
        if path.name == name:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(path, *arguments, **more)

    monkeypatch.setattr(Path, what, failing)


def test_scripts_are_taken_in_beside_recordings_and_a_folder_without_them_is_none(
    ticks: Ticks, data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "STILL_SECONDS", 0.0)
    data.scripts.rmdir()
    (data.voices / "anna.wav").write_bytes(b"sound")
    assert "audio, new: anna." in ticks.tick()
    data.scripts.mkdir()
    (data.scripts / "welcome.de.txt").write_text("Guten Morgen.")
    (data.scripts / ".welcome.de.txt.swp").write_text("Guten")
    assert "script, new: welcome.de." in ticks.tick()
    assert ticks.keys() == ["anna", "welcome.de"]
    assert ticks.tick() == "No change: 1 audio, 0 template, 1 script."
    shutil.rmtree(data.scripts)
    assert "scripts" in ticks.tick()  # it may be a disk that is away
    assert ticks.keys() == ["anna", "welcome.de"]
