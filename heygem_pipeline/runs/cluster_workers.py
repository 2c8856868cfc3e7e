"""The workers of a cluster, each a row of its PostgreSQL: who is there, for what, and which runs it holds."""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as db
from sqlalchemy.dialects.postgresql import insert

from heygem_pipeline.messages.message import Message
from heygem_pipeline.runs.cluster_queues import RUNS_HELD, Queue
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
    db.Column("beats", db.BigInteger, nullable=False, server_default="0"),
    db.Column("seen_at", db.Float, nullable=False),
)

RUNS = db.Table(
    "heygem_worker_runs",
    TABLE.metadata,
    db.Column("run_id", db.Text, primary_key=True),
    db.Column("worker", db.Text, nullable=False, index=True),
    db.Column("process", db.Integer),
    db.Column("told_to_stop", db.Boolean, nullable=False, server_default=db.false()),
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
    """It ends when its runs have ended."""
    UNFIT = "unfit"
    """Its reason says why."""
    LOST = "lost"
    """It was not heard of for too long."""


@dataclass(frozen=True)
class HeldRun:
    """A run that was handed to a worker.

    Attributes:
        worker: its name.
        process: of the run; None until it has begun.
        told_to_stop: it is to be cancelled.
    """

    run_id: str
    worker: str
    process: int | None = None
    told_to_stop: bool = False


@dataclass(frozen=True)
class Worker:
    """One of them.

    Attributes:
        name: Celery's.
        device: numbers of its graphics cards as CUDA_VISIBLE_DEVICES has them; "" for all.
        cards: names of the graphics cards that it sees.
        engine: by name and version; so the tracker.
        seconds_apart: by how much its clock is ahead of the database's.
        beats: how often it was heard of.
        seen_at: POSIX time of the database's clock.
        runs: what it holds now.
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
    beats: int = 0
    seen_at: float = 0.0
    runs: tuple[HeldRun, ...] = ()

    @property
    def is_there(self) -> bool:
        """Is it at its runs, if it has any?"""
        return self.state not in (WorkerState.UNFIT, WorkerState.LOST)

    @property
    def address(self) -> str:
        """Where its runs are sent: its place, so that one that is started again there empties what was left."""
        return f"{self.queue.value}-{self.device or 'any'}@{self.machine}"

    @property
    def row(self) -> dict[str, Any]:
        """What is recorded of it."""
        values = {column.name: getattr(self, column.name) for column in TABLE.c}
        return values | {"reason": self.reason and self.reason.as_json()}

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        kept = ("name", "queue", "machine", "device", "version", "cards", "engine", "tracker", "state")
        told: dict[str, Any] = {name: str(getattr(self, name)) for name in kept}
        told |= {
            "seconds_apart": round(self.seconds_apart, 1),
            "seen_at": round(self.seen_at),
            "runs": [run.run_id for run in self.runs],
        }
        return told | {"reason": self.reason and {"code": self.reason.code, "sentence": str(self.reason)}}


@dataclass(frozen=True)
class Workers:
    """All of a cluster."""

    database: str = field(repr=False)

    def enter(self, worker: Worker) -> None:
        """Add it; those of its place that are gone are forgotten."""
        row = worker.row
        with self.connection() as connection:
            row["seen_at"] = now = float(connection.execute(NOW).scalar() or 0)
            same = (TABLE.c.machine == worker.machine) & (TABLE.c.device == worker.device)
            same &= TABLE.c.queue == worker.queue
            gone = TABLE.c.state.in_([WorkerState.LOST, WorkerState.UNFIT])
            old = TABLE.c.seen_at < now - SECONDS_KEPT
            connection.execute(TABLE.delete().where(gone & (same | old)))
            connection.execute(TABLE.insert().values(row))

    def leave(self, name: str) -> None:
        """Take it out; a worker that ended well is no news. What was on its way to it is left to the controller."""
        with self.connection() as connection:
            connection.execute(RUNS.delete().where((RUNS.c.worker == name) & RUNS.c.process.is_not(None)))
            connection.execute(TABLE.delete().where(TABLE.c.name == name))

    def beat(self, name: str, seconds_apart: float) -> Worker | None:
        """Note that it lives; return what is recorded of it, None where it was taken for dead."""
        seen = db.text("extract(epoch FROM clock_timestamp())::float")
        values = {"beats": TABLE.c.beats + 1, "seen_at": seen, "seconds_apart": seconds_apart}
        here = (TABLE.c.name == name) & (TABLE.c.state != WorkerState.LOST)
        with self.connection() as connection:
            row = connection.execute(TABLE.update().where(here).values(values).returning(*TABLE.c)).first()
            return None if row is None else _worker(row._asdict(), _held(connection, RUNS.c.worker == name))

    def assign(self, queue: Queue, run_id: str) -> Worker | None:
        """Note that a run goes to the worker of its queue that holds the fewest, and return that; None: none is there.

        Which of them is asked one by one, so that of two runs at one moment each goes to another.
        """
        held = db.select(db.func.count()).where(RUNS.c.worker == TABLE.c.name).scalar_subquery()
        ready = db.select(TABLE).where((TABLE.c.queue == queue) & (TABLE.c.state == WorkerState.READY))
        with self.connection() as connection:
            connection.execute(ONE_AT_A_TIME, {"name": str(RUNS.name)})
            row = connection.execute(ready.order_by(held, TABLE.c.name).limit(1)).first()
            if row is None:
                return None
            connection.execute(insert(RUNS).values(run_id=run_id, worker=row.name))
            return _worker(row._asdict(), [])

    def take(self, name: str, run_id: str, process: int) -> bool:
        """Note that a worker begins a run; False where it was taken for dead."""
        values = {"run_id": run_id, "worker": name, "process": process, "told_to_stop": False}
        here = db.select(TABLE.c.name).where((TABLE.c.name == name) & (TABLE.c.state != WorkerState.LOST))
        with self.connection() as connection:
            if connection.execute(here.with_for_update(read=True)).first() is None:
                return False
            # Assigned to it as a rule; a broker that was restarted may bring one anew.
            taken = insert(RUNS).values(values)
            connection.execute(taken.on_conflict_do_update(index_elements=[RUNS.c.run_id], set_=values))
            return True

    def finish(self, run_id: str) -> None:
        """Note that nobody is at this run any more."""
        with self.connection() as connection:
            connection.execute(RUNS.delete().where(RUNS.c.run_id == run_id))

    def mark(self, name: str, state: WorkerState, reason: Message | None = None) -> None:
        """Change what it is."""
        values = {"state": state, "reason": reason and reason.as_json()}
        with self.connection() as connection:
            connection.execute(TABLE.update().where(TABLE.c.name == name).values(values))

    def tell_to_stop(self, run_id: str) -> bool:
        """Have the run cancelled by its worker; False where none is at it."""
        there = db.select(TABLE.c.name).where(TABLE.c.state != WorkerState.LOST)
        begun = (RUNS.c.run_id == run_id) & RUNS.c.process.is_not(None) & RUNS.c.worker.in_(there)
        with self.connection() as connection:
            return connection.execute(RUNS.update().where(begun).values(told_to_stop=True)).rowcount > 0

    def all(self) -> list[Worker]:
        """Those that are gone since yesterday too, by queue and name."""
        with self.connection() as connection:
            held = _held(connection)
            rows = connection.execute(db.select(TABLE).order_by(TABLE.c.queue.desc(), TABLE.c.name)).all()
        return [_worker(row._asdict(), [run for run in held if run.worker == row.name]) for row in rows]

    def held(self) -> dict[str, HeldRun]:
        """Run -> what is recorded of it, also where its worker is gone."""
        with self.connection() as connection:
            return {run.run_id: run for run in _held(connection)}

    def places(self) -> Counter[Queue]:
        """How many runs of each queue can be held at once."""
        ready = db.select(TABLE.c.queue, db.func.count()).where(TABLE.c.state == WorkerState.READY)
        with self.connection() as connection:
            rows = connection.execute(ready.group_by(TABLE.c.queue)).all()
        return Counter({queue: count * RUNS_HELD[queue] for queue, count in ((Queue(name), n) for name, n in rows)})

    def seconds(self) -> float:
        """POSIX time of the database's clock."""
        with self.connection() as connection:
            return float(connection.execute(NOW).scalar() or 0)

    def connection(self) -> AbstractContextManager[db.Connection]:
        """A transaction."""
        return _engine(self.database, os.getpid()).begin()


def workers_of(folders: DataFolders) -> list[Worker]:
    """Those of the cluster; none where this machine makes everything itself."""
    return Workers(folders.database).all() if folders.database and folders.broker else []


def _worker(row: dict[str, Any], runs: Sequence[HeldRun]) -> Worker:
    reason = row["reason"] and Message.from_json(row["reason"])
    typed = {"queue": Queue(row["queue"]), "state": WorkerState(row["state"]), "reason": reason, "runs": tuple(runs)}
    return Worker(**row | typed)


def _held(connection: db.Connection, which: db.ColumnElement[bool] | None = None) -> list[HeldRun]:
    runs = db.select(RUNS).order_by(RUNS.c.run_id)
    return [HeldRun(*row) for row in connection.execute(runs if which is None else runs.where(which))]


@cache
def _engine(database: str, _process: int) -> db.Engine:
    """One for each process: a fork must not speak on its parent's connections."""
    limits = {"connect_timeout": SECONDS_TO_CONNECT, "tcp_user_timeout": 1000 * SECONDS_TO_CONNECT}
    engine = db.create_engine(database, pool_size=1, max_overflow=5, pool_pre_ping=True, connect_args=limits)
    with engine.begin() as connection:
        connection.execute(ONE_AT_A_TIME, {"name": str(TABLE.name)})
        TABLE.metadata.create_all(connection)
    return engine
