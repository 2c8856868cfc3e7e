"""Whether what failed is tried again: it is where anything about it changed, and after interruptions a few times."""

from collections.abc import Mapping, Sequence

import dagster as dg

from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.status import QUEUED, State, Status
from heygem_pipeline.runs.failure_reasons import (
    DATABASE_FAILED,
    DISK_FULL,
    INTERRUPTED,
    SLOW_START,
    STOPPED,
    WORKER_LOST,
    read_reason,
)
from heygem_pipeline.runs.history import Attempt, note_reason
from heygem_pipeline.runs.stages import Subject

INTERRUPTIONS = 3
"""A run whose process was killed, or that met what passes, is asked for again; but it may be what kills or fills."""

PASSING = DISK_FULL | {DATABASE_FAILED}
"""Codes of what was in the machine's way, and may be gone."""

SLOW_STARTS = 20
"""So often a run that did not start in time is asked for again: about an hour."""

LOGS_READ = 50
"""Logs of failed runs read in one look; when more have failed at once, the rest is read at the next."""

UNREAD = Message("run.unread")


class FailedAttempts:
    """The failed attempts of one look.

    Args:
        instance: whose logs are read where a reason was not noted yet.
        attempts: by what they worked on, the newest first.
        forgiven: "<stage> <key>" -> POSIX time up to which failures no longer count.
    """

    def __init__(
        self, instance: dg.DagsterInstance, attempts: Mapping[Subject, Sequence[Attempt]], forgiven: Mapping[str, float]
    ) -> None:
        self._instance = instance
        self._attempts = attempts
        self._forgiven = forgiven
        self._logs_left = LOGS_READ

    def status(self, subject: Subject, uploaded: float, digest: str) -> Status | None:
        """The status of what failed and would fail again; None where it is worth a run."""
        attempts = self._attempts.get(subject)
        if attempts is None:
            return None
        counted_from = max(uploaded, self._forgiven.get(f"{subject.stage} {subject.key}", 0.0))
        interruptions = slow_starts = 0
        if attempts[0].retried_soon:
            return QUEUED
        for attempt in attempts:
            if attempt.at < counted_from or attempt.digest not in (digest, None):
                break
            reason = self._reason(attempt, digest)
            if reason == STOPPED:
                continue
            if reason == SLOW_START:
                slow_starts += 1
                if slow_starts == SLOW_STARTS:
                    return Status(State.FAILED, reason, attempt.run_id)
                continue
            killed = reason == INTERRUPTED or reason.code == WORKER_LOST
            if killed or reason.code in PASSING:
                interruptions += 1
                if interruptions == INTERRUPTIONS:
                    often = Message("run.interrupted_often", times=interruptions)
                    return Status(State.FAILED, often if killed else reason, attempt.run_id)
                continue
            return Status(State.FAILED, reason, attempt.run_id)
        return None

    def _reason(self, attempt: Attempt, digest: str) -> Message:
        """Why it failed; read from its log, and noted, where that was not done yet."""
        if attempt.noted and attempt.reason is not None:
            return attempt.reason
        if self._logs_left == 0:
            return attempt.reason or UNREAD
        self._logs_left -= 1
        known = attempt.reason if attempt.read else None
        reason = known or read_reason(self._instance, attempt.run_id, attempt.reason)
        # A run launched in the page says nothing of its inputs: then they were what is there when its failure is seen.
        note_reason(self._instance, attempt, reason, attempt.digest or digest)
        return reason
