"""How a worker says that it lives, and hears what becomes of it and its runs: a thread beside the one that works."""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from time import monotonic, time

import psutil
from sqlalchemy.exc import SQLAlchemyError

from heygem_pipeline.messages.message import Message
from heygem_pipeline.runs.cluster_workers import HeldRun, Workers

SECONDS_BETWEEN_BEATS = 3.0
SECONDS_BETWEEN_CLEANINGS = 60.0

SECONDS_APART = 5.0
"""Clocks that differ by more put uploads and failures in a wrong order."""

BEATS_UNTIL_SURE = 3
"""So often in a row a clock must be wrong: a slow answer looks like one."""

logger = logging.getLogger(__name__)


def seconds_apart(workers: Workers) -> float:
    """By how much this machine's clock is ahead of the database's."""
    workers.seconds()  # The first call connects.
    before = time()
    there = workers.seconds()
    return (before + time()) / 2 - there


def wrong_time(apart: float) -> Message | None:
    """Why a worker with such a clock must take no work."""
    return Message("cluster.other_time", seconds=round(abs(apart))) if abs(apart) > SECONDS_APART else None


class Heartbeat(Thread):
    """Of one worker, until ``stop``.

    Args:
        lost: called when the controller has taken this worker for dead, and had its run made elsewhere.
        unfit: called with the reason when this machine must take no more runs.
        clean: called every minute.
    """

    def __init__(
        self,
        workers: Workers,
        name: str,
        lost: Callable[[], None],
        unfit: Callable[[Message], None],
        clean: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(daemon=True)
        self._workers = workers
        self._worker = name
        self._lost = lost
        self._unfit = unfit
        self._clean = clean
        self._cleaned = monotonic()
        self._apart = 0.0
        self._wrong = 0
        self._stopped: set[str] = set()
        self._over = Event()
        # A run's process is forked while nothing is being said: it would inherit half of it.
        self._speaking = Lock()
        os.register_at_fork(
            before=self._speaking.acquire,
            after_in_parent=self._speaking.release,
            after_in_child=self._speaking.release,
        )

    def run(self) -> None:
        """As Thread says."""
        while not self._over.wait(SECONDS_BETWEEN_BEATS):
            try:
                with self._speaking:
                    before = time()
                    recorded = self._workers.beat(self._worker, self._apart)
                    after = time()
            except SQLAlchemyError as error:
                logger.warning("The database does not answer: %s", error)
                continue
            if self._over.is_set():
                return
            if recorded is None:
                self._lost()
                return
            self._apart = (before + after) / 2 - recorded.seen_at
            self._look_at_clock()
            with suppress(SQLAlchemyError), self._speaking:
                for run in recorded.runs:
                    self._look_after(run)
                if monotonic() - self._cleaned >= SECONDS_BETWEEN_CLEANINGS:
                    self._clean()
                    self._cleaned = monotonic()

    def stop(self) -> None:
        """Say no more."""
        self._over.set()

    def _look_at_clock(self) -> None:
        reason = wrong_time(self._apart)
        self._wrong = 0 if reason is None else self._wrong + 1
        if reason is not None and self._wrong == BEATS_UNTIL_SURE:
            self._unfit(reason)

    def _look_after(self, run: HeldRun) -> None:
        if run.process is None:
            return
        if not _is_child(run.process):
            self._workers.finish(run.run_id)
        elif run.told_to_stop and run.run_id not in self._stopped:
            self._stopped.add(run.run_id)
            os.kill(run.process, signal.SIGTERM)


def _is_child(number: int) -> bool:
    try:
        process = psutil.Process(number)
        return process.ppid() == os.getpid() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
