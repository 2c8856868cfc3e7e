"""One controller for each cluster: whoever runs the graph holds an advisory lock of its PostgreSQL.

A connection ends with its process, and the controller may become another process (``exec``) or be outlived by what it
started. So a process of its own keeps the lock for as long as anybody holds the data folder's lock. It runs as
``python -m heygem_pipeline.runs.controller_lock LOCK_FILE``.
"""

import fcntl
import logging
import os
import select
import signal
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
from heygem_pipeline.runs.cluster_access import reason_of
from heygem_pipeline.storage.paths import DataFolders

HELD, ANOTHER, UNREACHABLE = "held", "another", "unreachable"
"""What the process that takes the lock says first."""

LOCK = 0x68657967656D
"""Number of the advisory lock; each database of a server has its own."""

LONGEST_NAME = 63
"""Characters of a connection's name that PostgreSQL keeps."""

SECONDS_BETWEEN_LOOKS = 1.0
KEEPALIVE = {"idle": 5, "interval": 5, "count": 3}
"""After seconds of silence the other end is asked; so often, with so many seconds between."""
SECONDS_TO_ANSWER = {"connect_timeout": 5, "tcp_user_timeout": 15_000}
"""As PostgreSQL's client has them: in seconds, and in milliseconds."""
PATIENCE = 5.0
"""Seconds that the process is waited for which holds the lock of a controller that has just ended."""

HOLDER = db.text(
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database() "
    "AND l.classid = :high AND l.objid = :low AND l.objsubid = 1"
)
TAKE = db.text("SELECT pg_try_advisory_lock(:number)")


class ControllerLock:
    """Keeps the cluster's lock while anybody holds the data folder's: looks after the process that has it.

    Should that end, or lose its connection and with it the lock, another one takes the lock again. Where somebody else
    has it by then, this process is interrupted (SIGINT), and ``lost`` says by whom.
    """

    def __init__(self, folders: DataFolders, process_id: int | None = None) -> None:
        """To be called by the holder of the data folder's lock.

        Raises AlreadyRunning where another machine holds the cluster's, ClusterUnusable without a database.

        Args:
            process_id: of the one that has the lock, where this process started it before it became another program.
        """
        self.lost: AlreadyRunning | None = None
        self._folders = folders
        self._let_go = False
        self._process = _Process(process_id) if process_id is not None else _begin(folders)
        self._looking = Thread(target=self._look_after, daemon=True)
        self._looking.start()

    @property
    def process_id(self) -> int:
        """Of the process that has the lock."""
        return self._process.process_id

    def let_go(self) -> None:
        """Whoever calls this no longer holds the data folder's lock; perhaps what it started still does.

        Raises AlreadyRunning where somebody else got the cluster's lock meanwhile.
        """
        self._let_go = True
        self._process.tell()
        if not _is_held(self._folders.lock_file):
            self._looking.join()
        if self.lost is not None:
            raise self.lost

    def _look_after(self) -> None:
        while True:
            self._process.wait()
            self._process.tell()
            while True:
                if self._let_go or not _is_held(self._folders.lock_file):
                    return
                try:
                    self._process = _begin(self._folders)
                    break
                except ClusterUnusable:
                    # Nobody can take it either while the database is away.
                    sleep(SECONDS_BETWEEN_LOOKS)
                except AlreadyRunning as error:
                    self._give_up(AlreadyRunning("cluster.lock_lost", holder=error.values["holder"]))
                    return

    def _give_up(self, lost: AlreadyRunning) -> None:
        from heygem_pipeline.runs.log_file import note

        self.lost = lost
        note(self._folders, str(lost), "up", level=logging.ERROR)
        # What was started in the background of a shell is deaf to Ctrl-C.
        deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGTERM if deaf else signal.SIGINT)


@dataclass(frozen=True)
class _Process:
    """One that keeps the lock. started: None where that was before this process became another program."""

    process_id: int
    started: subprocess.Popen[str] | None = None

    def wait(self) -> None:
        """Until it has ended."""
        if self.started is not None:
            self.started.wait()
            return
        with suppress(ChildProcessError):
            os.waitpid(self.process_id, 0)

    def tell(self) -> None:
        """Let it look at once whether the lock is still wanted."""
        for stream in (self.started.stdin, self.started.stdout) if self.started is not None else ():
            if stream is not None:
                stream.close()


def _begin(folders: DataFolders) -> _Process:
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
        return _Process(process.pid, process)
    process.communicate()
    if outcome == ANOTHER:
        raise AlreadyRunning("cluster.in_use", holder=what)
    raise ClusterUnusable("cluster.database_unreachable", reason=what)


def holder_of(database: str) -> str | None:
    """Who runs the cluster's graph: machine and process; None where nobody does."""
    engine = _engine(database)
    with engine.connect() as connection:
        return _holder(connection)


def _engine(database: str, name: str = "") -> db.Engine:
    options: dict[str, object] = {f"keepalives_{setting}": value for setting, value in KEEPALIVE.items()}
    options.update(SECONDS_TO_ANSWER)
    if name:
        options["application_name"] = name
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
        connection = _connect(engine)
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
                # Whoever has it takes it once more. A connection of this process that broke may hold it for a while.
                taken = connection.execute(TAKE, {"number": LOCK}).scalar()
                if not taken and _holder(connection) not in (None, name):
                    return
            except SQLAlchemyError:
                # The server was started anew, or the connection is broken: the lock is nobody's, or soon.
                connection.close()
                connection = _connect(engine)


def _connect(engine: db.Engine) -> db.Connection:
    """A connection of which either end notices soon that the other is gone without a word, as by a power cut."""
    connection = engine.connect()
    for setting in ("idle", "interval", "count"):
        connection.exec_driver_sql(f"SET tcp_keepalives_{setting} = {KEEPALIVE[setting]}")
    return connection


if __name__ == "__main__":
    keep(os.environ["HEYGEM_DATABASE"], Path(sys.argv[1]), sys.argv[2])
