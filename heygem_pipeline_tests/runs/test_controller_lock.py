"""What becomes of a cluster's lock when the process that keeps it ends, or that process's connection."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname
from subprocess import PIPE, Popen
from time import sleep

import pytest
import sqlalchemy as db

from heygem_pipeline.errors import AlreadyRunning
from heygem_pipeline.runs.controller_lock import LOCK, holder_of
from heygem_pipeline.runs.data_folder_lock import RunnerLock, only_runner
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import data_folder_at
from heygem_pipeline_tests.postgres_server import PostgresServer, engine_of
from heygem_pipeline_tests.served import wait_for

pytestmark = pytest.mark.server

OF_THE_LOCK = (
    "FROM pg_locks JOIN pg_database d ON d.oid = database "
    f"WHERE locktype = 'advisory' AND objid = {LOCK & 0xFFFFFFFF} AND datname = current_database()"
)
HOLDS = f"SELECT pg_locks.pid {OF_THE_LOCK} AND granted"
WAITS = f"SELECT pg_locks.pid {OF_THE_LOCK} AND NOT granted"

ANOTHER = "gpu9, process 77"
WAITING = f"""
import sys, psycopg2
with psycopg2.connect(sys.argv[1], application_name={ANOTHER!r}) as connection:
    connection.cursor().execute("SELECT pg_advisory_lock({LOCK})")
    sys.stdin.read()
"""


@pytest.fixture
def folders(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DataFolders]:
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name))
    with data_folder_at(tmp_path / "data") as folders:
        yield folders


def asked(folders: DataFolders, question: str) -> int | None:
    with engine_of(folders.database).connect() as connection:
        return connection.execute(db.text(question)).scalar()


@contextmanager
def somebody_waits(folders: DataFolders) -> Iterator[None]:
    """Whoever waits for the lock has it as soon as it is nobody's."""
    address = folders.database.replace("+psycopg2", "")
    process = Popen([sys.executable, "-c", WAITING, address], stdin=PIPE)
    try:
        wait_for(lambda: asked(folders, WAITS) is not None, every=0.1)
        yield
    finally:
        process.kill()
        process.communicate()


def kill_its_process(_: DataFolders, lock: RunnerLock) -> None:
    assert lock.controller_lock is not None
    os.kill(lock.controller_lock.process_id, signal.SIGKILL)


def break_its_connection(folders: DataFolders, _: RunnerLock) -> None:
    assert asked(folders, f"SELECT pg_terminate_backend(({HOLDS}))")


Loss = Callable[[DataFolders, RunnerLock], None]
LOSSES = pytest.mark.parametrize("lose", [kill_its_process, break_its_connection])


@LOSSES
def test_a_lock_that_nobody_has_any_more_is_taken_again(folders: DataFolders, lose: Loss) -> None:
    with only_runner(folders) as lock:
        for _ in range(2):
            before = asked(folders, HOLDS)
            lose(folders, lock)
            wait_for(lambda: asked(folders, HOLDS) not in (None, before), every=0.1)  # noqa: B023 - called at once
            assert holder_of(folders.database) == f"{gethostname()}, process {os.getpid()}"
    assert asked(folders, HOLDS) is None


@LOSSES
def test_a_controller_whose_lock_somebody_else_got_stops_and_says_who(folders: DataFolders, lose: Loss) -> None:
    # Also where the tests were started in the background of a shell.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(AlreadyRunning) as stopped, only_runner(folders) as lock, somebody_waits(folders):
        lose(folders, lock)
        sleep(60)
    assert stopped.value.code == "cluster.lock_lost" and ANOTHER in str(stopped.value)
    assert ANOTHER in folders.log_file.read_text()
