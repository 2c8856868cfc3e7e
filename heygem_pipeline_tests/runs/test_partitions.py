"""Taking uploads in."""

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from filelock import FileLock

from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.registry import UploadKind, Uploads


def test_new_files_become_partitions_and_gone_files_retire_theirs(data: DataFolders) -> None:
    (data.voices / "第一课, 开始.wav").write_bytes(b"sound")
    (data.presenters / "teacher.mp4").write_bytes(b"picture")
    with open_instance(data) as instance:
        taken_in = take_in_uploads(instance, data)
        assert taken_in[UploadKind.VOICE].added == ["第一课_ 开始"]
        assert instance.get_dynamic_partitions("template") == ["teacher"]
        (data.presenters / "teacher.mp4").unlink()
        assert take_in_uploads(instance, data)[UploadKind.PRESENTER].retired == ["teacher"]
        assert instance.get_dynamic_partitions("template") == []


def test_whoever_adds_keys_waits_for_another_that_does(data: DataFolders) -> None:
    (data.presenters / "teacher.mp4").write_bytes(b"picture")
    with open_instance(data) as instance:
        adding = Thread(target=take_in_uploads, args=(instance, data))
        with FileLock(data.state / "partitions.lock"):
            adding.start()
            adding.join(1.0)
            assert adding.is_alive()
            # The other one has looked before, too.
            instance.add_dynamic_partitions("template", ["teacher"])
        adding.join(60)
        assert instance.get_dynamic_partitions("template") == ["teacher"]


def test_new_photographs_move_and_those_that_were_there_keep_as_they_are(data: DataFolders) -> None:
    for name in ("anna.jpg", "known.png", "video.mp4", "said.webp"):
        (data.presenters / name).write_bytes(b"picture")
    (data.presenters / "said.yaml").write_text("tracker: mesh\nmoving: false\n")
    # Its tracks are there: the register that knew it was lost.
    data.tracks("known").parent.mkdir(parents=True, exist_ok=True)
    data.tracks("known").write_bytes(b"tracks")
    with open_instance(data) as instance:
        take_in_uploads(instance, data)
        sidecars = {path.name: path.read_text() for path in data.presenters.glob("*.yaml")}
        assert sidecars == {"anna.yaml": "moving: true\n", "said.yaml": "tracker: mesh\nmoving: false\n"}
        (data.presenters / "anna.yaml").unlink()
        take_in_uploads(instance, data)
        assert not (data.presenters / "anna.yaml").exists()
        (data.presenters / "ben.jpg").write_bytes(b"picture")
        take_in_uploads(instance, data, photographs_move=False)
        assert not (data.presenters / "ben.yaml").exists()


def test_taking_in_twice_changes_nothing(data: DataFolders) -> None:
    (data.voices / "talk.wav").write_bytes(b"sound")
    with open_instance(data) as instance:
        take_in_uploads(instance, data)
        again = take_in_uploads(instance, data)[UploadKind.VOICE]
    assert (again.known, again.added, again.retired) == (["talk"], [], [])


def test_what_another_process_takes_in_meanwhile_is_not_retired(
    data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data.presenters / "anna.mp4").write_bytes(b"picture")
    take_in = Uploads.take_in
    with open_instance(data) as instance:

        def beside_another(uploads: Uploads, kind: UploadKind, ready: Callable[[Path], bool]) -> dict[str, Path]:
            keys = take_in(uploads, kind, ready)
            if kind is UploadKind.PRESENTER:
                instance.add_dynamic_partitions(kind.value, ["marco"])
            return keys

        monkeypatch.setattr(Uploads, "take_in", beside_another)
        take_in_uploads(instance, data)
        assert set(instance.get_dynamic_partitions("template")) == {"anna", "marco"}
