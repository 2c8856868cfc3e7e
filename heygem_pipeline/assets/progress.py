"""Progress of a step: log lines now and then, and a display where somebody watches."""

from time import monotonic
from typing import Protocol

import dagster as dg

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


class StepProgress:
    """Logs "120 of 900 frames, 31.2 frames/s, 25 s left" at most every 5 seconds."""

    def __init__(self, context: dg.AssetExecutionContext, display: ProgressDisplay, total: int) -> None:
        self._log = context.log
        self._step = context.asset_key.to_user_string()
        self._partition = context.partition_key
        self._display = display
        self._total = total
        self._started = self._last_line = monotonic()

    def __call__(self, done: int) -> None:
        """Take note that ``done`` frames are done."""
        self._display.show(self._step, self._partition, done, self._total)
        now = monotonic()
        if now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        rate = done / (now - self._started)
        left = max(0, self._total - done) / rate
        self._log.info(f"{done} of {self._total} frames, {rate:.1f} frames/s, {left:.0f} s left")
