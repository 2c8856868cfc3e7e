"""Progress of a step: a file that others read, log lines now and then, and a display where somebody watches."""

from contextlib import AbstractContextManager
from dataclasses import replace
from time import time
from typing import Protocol

import dagster as dg

from heygem_pipeline.assets.step_retries import is_cancelled
from heygem_pipeline.runs.progress import Progress, remove_progress, write_progress
from heygem_pipeline.storage.paths import data_folders

SECONDS_BETWEEN_LINES = 5.0


class ProgressDisplay(Protocol):
    """Shows the progress of steps, a bar on a terminal for example."""

    def show(self, step: str, partition: str, done: int, total: int) -> None:
        """Called for every frame."""
        ...


class NoDisplay:
    """For runs that nobody watches: the log lines are enough."""

    def show(self, step: str, partition: str, done: int, total: int) -> None:
        """Show nothing."""


class StepProgress(AbstractContextManager["StepProgress"]):
    """Tells how many frames of a step are done, at most every 5 seconds, until the block ends.

    The log says "120 of 900 frames, 31.2 frames/s, 25 s left".
    """

    def __init__(
        self, context: dg.AssetExecutionContext, display: ProgressDisplay, total: int, unit: str = "frames"
    ) -> None:
        self._log = context.log
        self._run_id = context.run.run_id
        self._partition = context.partition_key
        self._display = display
        self._folders = data_folders()
        now = time()
        self._last = Progress(context.op_execution_context.op.name, 0, total, now, now, unit)
        write_progress(self._folders, self._run_id, self._last)

    def __exit__(self, *_: object) -> None:
        remove_progress(self._folders, self._run_id)

    def of(self, done: int, total: int) -> None:
        """The same, where only the work itself tells how many there are."""
        self._last = replace(self._last, total=total)
        self(done)

    def __call__(self, done: int) -> None:
        """Take note that so many frames, or other units, are done.

        Raises DagsterExecutionInterruptedError where the run has been told to stop and works on all the same: PyAV
        drops what a signal raises while it reads (7 % of them, measured).
        """
        step, total, started = self._last.step, self._last.total, self._last.started
        self._display.show(step, self._partition, done, total)
        now = time()
        if now - self._last.at < SECONDS_BETWEEN_LINES:
            return
        if is_cancelled():
            raise dg.DagsterExecutionInterruptedError
        self._last = Progress(step, done, total, started, now, self._last.unit)
        write_progress(self._folders, self._run_id, self._last)
        self._log.info(str(self._last))
