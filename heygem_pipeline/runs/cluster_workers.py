"""The workers of a cluster, each a row of its PostgreSQL: who is there, for what, and which run it is at."""

import os
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as db

from heygem_pipeline.messages.message import Message
from heygem_pipeline.runs.cluster_queues import Queue
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.postgres import ONE_AT_A_TIME

TABLE = db.Table(
    "heygem_workers",
    db.MetaData(),
    db.Column("name", db.Text, primary_key=True),
    db.Column("queue", db.Text, nullable=False),
    db.Column("machine", db.Text, nullable=False),
    db.Column("device", db.Text, nullable=False),
    db.Column("version", db.Text, nullable=False),
    db.Column("cards", db.Text, nullable=False),
    db.Column("engine", db.Text, nullable=False),
    db.Column("tracker", db.Text, nullable=False),
    db.Column("seconds_apart", db.Float, nullable=False),
    db.Column("state", db.Text, nullable=False),
    db.Column("reason", db.JSON),
    db.Column("run_id", db.Text),
    db.Column("process", db.Integer),
    db.Column("told_to_stop", db.Boolean, nullable=False, server_default=db.false()),
    db.Column("beats", db.BigInteger, nullable=False, server_default="0"),
    db.Column("seen_at", db.Float, nullable=False),
)

NOW = db.text("SELECT extract(epoch FROM clock_timestamp())::float")

SECONDS_TO_CONNECT = 3
"""A heartbeat must not wait longer than others wait for it."""

SECONDS_KEPT = 24 * 3600.0
"""So long a worker that is gone is still told of."""


class WorkerState(StrEnum):
    """Whether a worker takes runs."""

    STARTING = "starting"
    READY = "ready"
    LEAVING = "leaving"
    """It ends when its run has ended."""
    UNFIT = "unfit"
    """Its reason says why."""
    LOST = "lost"
    """It was not heard of for too long."""


@dataclass(frozen=True)
class Worker:
    """One of them.

    Attributes:
        name: Celery's.
        device: numbers of its graphics cards as CUDA_VISIBLE_DEVICES has them; "" for all.
        cards: names of the graphics cards that it sees.
        engine: by name and version; so the tracker.
        seconds_apart: by how much its clock is ahead of the database's.
        process: of its run.
        told_to_stop: its run is to be cancelled.
        beats: how often it was heard of.
        seen_at: POSIX time of the database's clock.
    """

    name: str
    queue: Queue
    machine: str
    device: str
    version: str
    cards: str = ""
    engine: str = ""
    tracker: str = ""
    seconds_apart: float = 0.0
    state: WorkerState = WorkerState.READY
    reason: Message | None = None
    run_id: str | None = None
    process: int | None = None
    told_to_stop: bool = False
    beats: int = 0
    seen_at: float = 0.0

    @property
    def is_there(self) -> bool:
        """Is it at its run, if it has one?"""
        return self.state not in (WorkerState.UNFIT, WorkerState.LOST)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        kept = ("name", "queue", "machine", "device", "version", "cards", "engine", "tracker", "state")
        told = {name: str(value) for name, value in asdict(self).items() if name in kept}
        told |= {"seconds_apart": round(self.seconds_apart, 1), "seen_at": round(self.seen_at), "run": self.run_id}
        return told | {"reason": self.reason and {"code": self.reason.code, "sentence": str(self.reason)}}


@dataclass(frozen=True)
class Workers:
    """All of a cluster."""

    database: str = field(repr=False)

    def enter(self, worker: Worker) -> None:
        """Add it; those of its place that are gone are forgotten."""
        row = asdict(worker) | {"reason": worker.reason and worker.reason.as_json()}
        with self.connection() as connection:
            row["seen_at"] = now = float(connection.execute(NOW).scalar() or 0)
            same = (TABLE.c.machine == worker.machine) & (TABLE.c.device == worker.device)
            same &= TABLE.c.queue == worker.queue
            gone = TABLE.c.state.in_([WorkerState.LOST, WorkerState.UNFIT])
            old = TABLE.c.seen_at < now - SECONDS_KEPT
            connection.execute(TABLE.delete().where(gone & (same | old)))
            connection.execute(TABLE.insert().values(row))

    def leave(self, name: str) -> None:
        """Take it out; a worker that ended well is no news."""
        self._change(name, TABLE.delete())

    def beat(self, name: str, seconds_apart: float) -> Worker | None:
        """Note that it lives; return what is recorded of it, None where it was taken for dead."""
        seen = db.text("extract(epoch FROM clock_timestamp())::float")
        values = {"beats": TABLE.c.beats + 1, "seen_at": seen, "seconds_apart": seconds_apart}
        here = (TABLE.c.name == name) & (TABLE.c.state != WorkerState.LOST)
        with self.connection() as connection:
            row = connection.execute(TABLE.update().where(here).values(values).returning(*TABLE.c)).first()
        return None if row is None else _worker(row._asdict())

    def take(self, name: str, run_id: str, process: int) -> bool:
        """Note that a worker begins a run; False where it was taken for dead."""
        values = {"run_id": run_id, "process": process, "told_to_stop": False}
        return self._change(name, TABLE.update().where(TABLE.c.state != WorkerState.LOST).values(values))

    def finish(self, name: str, run_id: str) -> None:
        """Note that it is not at this run any more."""
        at_it = TABLE.update().where(TABLE.c.run_id == run_id)
        self._change(name, at_it.values(run_id=None, process=None, told_to_stop=False))

    def mark(self, name: str, state: WorkerState, reason: Message | None = None) -> None:
        """Change what it is."""
        self._change(name, TABLE.update().values(state=state, reason=reason and reason.as_json()))

    def tell_to_stop(self, run_id: str) -> bool:
        """Have the run cancelled by its worker; False where none is at it."""
        with self.connection() as connection:
            here = TABLE.update().where((TABLE.c.run_id == run_id) & (TABLE.c.state != WorkerState.LOST))
            return connection.execute(here.values(told_to_stop=True)).rowcount > 0

    def all(self) -> list[Worker]:
        """Those that are gone since yesterday too, by queue and name."""
        with self.connection() as connection:
            rows = connection.execute(db.select(TABLE).order_by(TABLE.c.queue.desc(), TABLE.c.name)).all()
        return [_worker(row._asdict()) for row in rows]

    def places(self) -> Counter[Queue]:
        """How many runs of each queue can be worked on at once."""
        ready = db.select(TABLE.c.queue, db.func.count()).where(TABLE.c.state == WorkerState.READY)
        with self.connection() as connection:
            return Counter({Queue(queue): count for queue, count in connection.execute(ready.group_by(TABLE.c.queue))})

    def seconds(self) -> float:
        """POSIX time of the database's clock."""
        with self.connection() as connection:
            return float(connection.execute(NOW).scalar() or 0)

    def connection(self) -> AbstractContextManager[db.Connection]:
        """A transaction."""
        return _engine(self.database, os.getpid()).begin()

    def _change(self, name: str, statement: db.Update | db.Delete) -> bool:
        with self.connection() as connection:
            return connection.execute(statement.where(TABLE.c.name == name)).rowcount > 0


def workers_of(folders: DataFolders) -> list[Worker]:
    """Those of the cluster; none where this machine makes everything itself."""
    return Workers(folders.database).all() if folders.database and folders.broker else []


def _worker(row: dict[str, Any]) -> Worker:
    reason = row["reason"] and Message.from_json(row["reason"])
    typed = {"queue": Queue(row["queue"]), "state": WorkerState(row["state"]), "reason": reason}
    return Worker(**row | typed)


@cache
def _engine(database: str, _process: int) -> db.Engine:
    """One for each process: a fork must not speak on its parent's connections."""
    limits = {"connect_timeout": SECONDS_TO_CONNECT, "tcp_user_timeout": 1000 * SECONDS_TO_CONNECT}
    engine = db.create_engine(database, pool_size=1, max_overflow=5, pool_pre_ping=True, connect_args=limits)
    with engine.begin() as connection:
        connection.execute(ONE_AT_A_TIME, {"name": str(TABLE.name)})
        TABLE.create(connection, checkfirst=True)
    return engine
