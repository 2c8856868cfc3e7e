"""What stays on a worker's machine of a cluster with a bucket."""

import os
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest

from heygem_pipeline.operations.worker_scratch import SECONDS_UNTIL_LOST, drop_what_is_gone
from heygem_pipeline.runs.cluster_queues import Queue
from heygem_pipeline.runs.cluster_workers import Worker, Workers
from heygem_pipeline.storage.atomic import WRITER, atomic_path
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.bucket_server import BucketServer
from heygem_pipeline_tests.conftest import data_folder_at
from heygem_pipeline_tests.postgres_server import PostgresServer

pytestmark = pytest.mark.server

CLIP = ClipKey("one", "one")
KILLED, AT_WORK = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


@pytest.fixture
def folders(
    bucket: BucketServer, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[DataFolders]:
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name))
    bucket.use(bucket.create(tmp_path.name), monkeypatch)
    with data_folder_at(tmp_path / "data") as folders:
        yield folders


def written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"something")
    return path


def test_what_a_killed_run_was_writing_goes_and_what_is_being_written_stays(
    folders: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = Workers(folders.database)
    workers.enter(Worker("worker", Queue.GPU, "here", "0", "1"))
    assert workers.take("worker", AT_WORK, 1)
    left = {}
    for run_id in (KILLED, AT_WORK, ""):
        monkeypatch.setenv(WRITER, run_id)
        with atomic_path(folders.patches(CLIP)) as temporary:
            left[run_id] = temporary
            temporary.touch()
    for path in left.values():
        path.touch()
    drop_what_is_gone(folders)
    assert {run_id for run_id, path in left.items() if path.exists()} == {AT_WORK, ""}


def test_a_copy_goes_with_its_object_and_no_other_does(folders: DataFolders) -> None:
    gone, there = (folders.clip(ClipKey("one", presenter)) for presenter in ("gone", "there"))
    for path in (gone, there):
        folders.files.publish(written(path))
    folders.files.remove(gone)
    written(gone)
    drop_what_is_gone(folders)
    assert there.exists() and gone.exists()  # Perhaps it is just being made again.
    os.utime(gone, times=(0, time() - SECONDS_UNTIL_LOST - 60))
    drop_what_is_gone(folders)
    assert there.exists() and not gone.exists()


def test_what_an_engine_keeps_goes_with_the_presenter(folders: DataFolders) -> None:
    folders.files.publish(written(folders.tracks("there")))
    gone, there = (written(folders.face_encodings(presenter)) for presenter in ("gone", "there"))
    drop_what_is_gone(folders)
    assert there.exists() and not gone.exists()
