"""What the log of a run tells people: which of Dagster's events, in which words, and whose run it is."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import sleep

import dagster as dg
from dagster import DagsterEventType, RunsFilter

from heygem_pipeline.messages.message import Message
from heygem_pipeline.runs.dagster_internals import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    DagsterEvent,
    DagsterExecutionInterruptedError,
    SerializableErrorInfo,
)
from heygem_pipeline.runs.failure_reasons import read_reason, reason_in
from heygem_pipeline.runs.stages import Stage, step_name, subject_of
from heygem_pipeline.storage.clip_key import ClipKey, label_of

SHOWN = {
    DagsterEventType.RUN_START: (logging.INFO, "Started."),
    DagsterEventType.RUN_SUCCESS: (logging.INFO, "Finished."),
    DagsterEventType.RUN_FAILURE: (logging.ERROR, ""),
    DagsterEventType.RUN_CANCELING: (logging.WARNING, ""),
    DagsterEventType.RUN_CANCELED: (logging.WARNING, ""),
    DagsterEventType.STEP_START: (logging.INFO, "Started."),
    DagsterEventType.STEP_SUCCESS: (logging.INFO, ""),
    DagsterEventType.STEP_FAILURE: (logging.ERROR, ""),
    DagsterEventType.STEP_UP_FOR_RETRY: (logging.WARNING, ""),
}
"""Event -> the level it is told at, and in which words where not in Dagster's own.

Dagster itself logs most of them at DEBUG, with much that nobody needs.
"""

RUNS_READ = 50
"""Runs of one partition key looked through for the latest; a voice and a presenter may share their key."""

EVENTS_AT_ONCE = 500
SECONDS_BETWEEN_LOOKS = 1.0
NO_STEP = "run"


@dataclass(frozen=True)
class Line:
    """One entry of a log.

    Attributes:
        at: POSIX time.
        subject: "voice/presenter" or a key, "" where there is none.
        stage: the step or what else speaks.
        message: may have several lines.
        cause: of what nobody foresaw, the error at its root in one line; else "".
    """

    at: float
    level: int
    run_id: str
    subject: str
    stage: str
    message: str
    cause: str = ""

    def __str__(self) -> str:
        """One line that can be cut at its columns; whatever the message has more, indented below."""
        first, *rest = self.message.splitlines() or [""]
        time = f"{datetime.fromtimestamp(self.at):%Y-%m-%d %H:%M:%S}"
        level = f"{logging.getLevelName(self.level):<7}"
        head = f"{time} {level} {self.run_id[:8] or '-':<8} [{self.subject or '-'}] {self.stage}: {first}"
        return "\n".join([head, *(f"    {line}" for line in rest)])


def level_and_text(message: str, level: int, event: DagsterEvent | None) -> tuple[int, str] | None:
    """Return how an entry of Dagster's stands in the log; None where it does not."""
    if event is None:
        return (level, message) if level >= logging.INFO else None
    if event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        if check.passed:
            return None
        level = logging.ERROR if check.severity is dg.AssetCheckSeverity.ERROR else logging.WARNING
        return level, f"{check.check_name}: {check.description}"
    stack = _stack(event)
    if event.event_type not in SHOWN and not stack:
        return None
    level, words = SHOWN.get(event.event_type, (level, ""))
    return level, f"{words or message}\n{stack}".rstrip()


def _stack(event: DagsterEvent) -> str:
    """The stack trace of what nobody foresaw, told once; a failure with a sentence has that in the line before."""
    error = _unforeseen(event)
    return "" if error is None else error.to_string()


def root_cause(event: DagsterEvent | None) -> str:
    """The error at the root of what nobody foresaw, in one line; "" where there is none."""
    error = None if event is None else _unforeseen(event)
    while error is not None and error.cause is not None:
        error = error.cause
    return "" if error is None else error.message.strip().partition("\n")[0]


def _unforeseen(event: DagsterEvent) -> SerializableErrorInfo | None:
    data = event.event_specific_data
    error = getattr(data, "error", None)
    told_before = getattr(data, "user_failure_data", None) or getattr(data, "first_step_failure_event", None)
    if error is None or told_before or error.cls_name == DagsterExecutionInterruptedError.__name__:
        return None
    return error


def subject_in(tags: Mapping[str, str]) -> str:
    """What a run with these tags works on, the way its files lie in outputs: "voice/presenter", or one key."""
    first, last = tags.get(ASSET_PARTITION_RANGE_START_TAG), tags.get(ASSET_PARTITION_RANGE_END_TAG)
    key = tags.get(PARTITION_NAME_TAG) or (f"{first} ... {last}" if first and last else "")
    return label_of(key)


def latest_run(instance: dg.DagsterInstance, name: str) -> dg.DagsterRun | None:
    """Return the run that was last asked for of "voice/presenter", or of a voice or presenter alone."""
    clip = ClipKey.from_label(name)
    runs = instance.get_runs(RunsFilter(tags={PARTITION_NAME_TAG: clip.partition if clip else name}), limit=RUNS_READ)
    return next((run for run in runs if clip or _is_of_upload(run)), None)


def _is_of_upload(run: dg.DagsterRun) -> bool:
    subject = subject_of(run)
    return subject is not None and subject.stage in (Stage.VOICE, Stage.PRESENTER)


def read_log(instance: dg.DagsterInstance, run: dg.DagsterRun, follow: bool = False) -> Iterator[Line]:
    """Yield what there is to tell of a run.

    Args:
        follow: wait for more until the run has ended.
    """
    subject, cursor = subject_in(run.tags), None
    while True:
        # Asked before reading: what an ended run had to tell is all there.
        now = instance.get_run_by_id(run.run_id) if follow else None
        page = instance.get_records_for_run(run.run_id, cursor, limit=EVENTS_AT_ONCE)
        cursor = page.cursor
        for record in page.records:
            entry = record.event_log_entry
            shown = level_and_text(entry.message, int(entry.level), entry.dagster_event)
            if shown is not None:
                level, text = shown
                stage, cause = step_name(entry.step_key or NO_STEP), root_cause(entry.dagster_event)
                yield Line(entry.timestamp, level, run.run_id, subject, stage, text, cause)
        if page.has_more:
            continue
        if now is None or now.is_finished:
            return
        sleep(SECONDS_BETWEEN_LOOKS)


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended, or stands.

    Attributes:
        summary: its id, status and times.
        reason: why it failed, None if it did not.
    """

    summary: str
    under_way: bool
    reason: Message | None


def outcome_of(instance: dg.DagsterInstance, run_id: str) -> RunOutcome:
    """Say how a run ended."""
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return RunOutcome(f"Run {run_id}: its records are deleted", under_way=False, reason=None)
    run = record.dagster_run
    times = [
        f"{said} {datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"
        for said, at in (("started", record.start_time), ("ended", record.end_time))
        if at is not None
    ]
    reason = (reason_in(run.tags) or read_reason(instance, run_id)) if run.is_failure else None
    summary = ", ".join([f"Run {run_id}: {run.status.value.lower()}", *times])
    return RunOutcome(summary, not run.is_finished, reason)
