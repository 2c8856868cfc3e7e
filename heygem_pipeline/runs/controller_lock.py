"""One controller for each cluster: whoever runs the graph holds an advisory lock of its PostgreSQL.

A connection ends with its process, and the controller may become another process (``exec``) or be outlived by what it
started. So a process of its own keeps the lock for as long as anybody holds the data folder's lock. It runs as
``python -m heygem_pipeline.runs.controller_lock LOCK_FILE``.
"""

import fcntl
import os
import select
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname
from threading import Thread
from time import monotonic, sleep

import sqlalchemy as db
from sqlalchemy.exc import SQLAlchemyError

from heygem_pipeline.errors import AlreadyRunning, ClusterUnusable
from heygem_pipeline.runs.database_access import reason_of
from heygem_pipeline.storage.folders import DataFolders

HELD, ANOTHER, UNREACHABLE = "held", "another", "unreachable"
"""What the keeper says first."""

LOCK = 0x68657967656D
"""Number of the advisory lock; each database of a server has its own."""

LONGEST_NAME = 63
"""Characters of a connection's name that PostgreSQL keeps."""

SECONDS_BETWEEN_LOOKS = 1.0
PATIENCE = 5.0
"""Seconds that the keeper of a controller which has just ended is waited for."""

HOLDER = db.text(
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database() "
    "AND l.classid = :high AND l.objid = :low AND l.objsubid = 1"
)
TAKE = db.text("SELECT pg_try_advisory_lock(:number)")


@dataclass(frozen=True)
class Keeper:
    """The process that keeps the cluster's lock while anybody holds the data folder's."""

    process: subprocess.Popen[str]
    lock_file: Path

    @classmethod
    def start(cls, folders: DataFolders) -> "Keeper":
        """To be called by the holder of the data folder's lock.

        Raises AlreadyRunning where another machine holds the cluster's, ClusterUnusable without a database.
        """
        name = f"{gethostname()}, process {os.getpid()}"[:LONGEST_NAME]
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(folders.lock_file), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"HEYGEM_DATABASE": folders.database},
            start_new_session=True,
        )
        said = process.stdout.readline().rstrip("\n") if process.stdout is not None else ""
        outcome, _, what = said.partition(" ")
        if outcome == HELD:
            return cls(process, folders.lock_file)
        process.communicate()
        if outcome == ANOTHER:
            raise AlreadyRunning("cluster.in_use", holder=what)
        raise ClusterUnusable("cluster.database_unreachable", reason=what)

    def let_go(self) -> None:
        """Whoever calls this no longer holds the data folder's lock; perhaps what it started still does."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        if _is_held(self.lock_file):
            # Its end is taken note of whenever it comes.
            Thread(target=self.process.wait, daemon=True).start()
        else:
            self.process.wait()


def holder_of(database: str) -> str | None:
    """Who runs the cluster's graph: machine and process; None where nobody does."""
    engine = _engine(database)
    with engine.connect() as connection:
        return _holder(connection)


def _engine(database: str, name: str = "") -> db.Engine:
    options = {"application_name": name} if name else {}
    return db.create_engine(database, poolclass=db.NullPool, isolation_level="AUTOCOMMIT", connect_args=options)


def _holder(connection: db.Connection) -> str | None:
    number = {"high": LOCK >> 32, "low": LOCK & 0xFFFFFFFF}
    return connection.execute(HOLDER, number).scalar()


def _is_held(lock_file: Path) -> bool:
    """Does anybody hold the data folder's lock?"""
    try:
        descriptor = os.open(lock_file, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def keep(database: str, lock_file: Path, name: str) -> None:
    """Take the lock and keep it. Says first whether it is held, and if not, by whom or why."""
    engine = _engine(database, name)
    deadline = monotonic() + PATIENCE
    try:
        connection = engine.connect()
        while not connection.execute(TAKE, {"number": LOCK}).scalar():
            holder = _holder(connection)
            if holder is not None and (monotonic() > deadline or not holder.startswith(f"{gethostname()},")):
                print(ANOTHER, holder, flush=True)
                return
            sleep(0.1)
    except SQLAlchemyError as error:
        print(UNREACHABLE, reason_of(error), flush=True)
        return
    print(HELD, flush=True)
    told = [sys.stdin]
    while _is_held(lock_file):
        if select.select(told, [], [], SECONDS_BETWEEN_LOOKS)[0]:
            told = []
            continue
        if not told:
            sleep(SECONDS_BETWEEN_LOOKS)
        with suppress(SQLAlchemyError):
            try:
                connection.execute(db.text("SELECT 1"))
            except SQLAlchemyError:
                # The server was started anew, and the lock is nobody's.
                connection.close()
                connection = engine.connect()
                connection.execute(TAKE, {"number": LOCK})


if __name__ == "__main__":
    keep(os.environ["HEYGEM_DATABASE"], Path(sys.argv[1]), sys.argv[2])
