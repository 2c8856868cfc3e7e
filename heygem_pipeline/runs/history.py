"""What Dagster's records of runs and backfills say about voices, presenters and clips."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import time

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from heygem_pipeline.messages.message import Message
from heygem_pipeline.runs.dagster_internals import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG, EndedRun, ended_runs
from heygem_pipeline.runs.failure_reasons import CANCELLED, is_noted, reason_in, reason_tag
from heygem_pipeline.runs.stages import Stage, Subject, subject_of, subject_said

INPUTS_TAG = "heygem/tried"
"""What the run was made of: its inputs, tracker, engine and settings."""

SECONDS_UNTIL_RETRY = 60
"""Within that, Dagster's daemon has started a run anew whose process died, if its settings say so."""

RECORDS_AT_ONCE = 1000
"""SQLite takes a limited number of values in one statement."""

SECONDS_OF_CHANGE = 3600
"""For so long after its end another process may note more about a run, such as recovery, which says why it ended."""

Span = tuple[float, float]
"""POSIX times of a beginning and an end."""

_QUEUED = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED]
_RUNNING = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
_FAILED = [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


@dataclass(frozen=True)
class Attempt:
    """A run that did not end well.

    Attributes:
        at: POSIX time it was asked for.
        digest: of its inputs.
        reason: None while its log is not read.
        read: does the reason say all that the log does?
        retried_soon: Dagster itself is about to start it anew.
    """

    run_id: str
    at: float
    reason: Message | None
    read: bool
    digest: str | None
    retried_soon: bool

    @property
    def noted(self) -> bool:
        """Is all known of it that will be?"""
        return self.reason is not None and self.read and self.digest is not None


_subjects: dict[str, Subject | None] = {}
"""Run -> what it works on: never changes, and a process that plans every five seconds need not read it again."""


def active_runs(instance: dg.DagsterInstance) -> tuple[dict[Subject, str], dict[Subject, str]]:
    """Return what is queued and what is running, each with its run."""
    queued, running = (
        {subject: run_id for run_id in run_ids if (subject := _subjects[run_id]) is not None}
        for run_ids in (_ids_by_status(instance, statuses) for statuses in (_QUEUED, _RUNNING))
    )
    return queued, running


def _ids_by_status(instance: dg.DagsterInstance, statuses: Sequence[DagsterRunStatus]) -> Sequence[str]:
    run_ids = instance.get_run_ids(RunsFilter(statuses=statuses))
    unknown = [run_id for run_id in run_ids if run_id not in _subjects]
    for some in _portions(unknown):
        runs = instance.get_runs(RunsFilter(run_ids=some))
        _subjects.update((run.run_id, subject_of(run)) for run in runs)
    return [run_id for run_id in run_ids if run_id in _subjects]


def _portions(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(run_ids), RECORDS_AT_ONCE):
        yield run_ids[start : start + RECORDS_AT_ONCE]


_ended: dict[str, tuple[Subject | None, Attempt]] = {}
"""Run -> what is known of it, where no other process will note more."""


def read_failed_attempts(instance: dg.DagsterInstance) -> dict[Subject, list[Attempt]]:
    """Return the runs that failed or were cancelled, all that are kept, by what they worked on, the newest first."""
    run_ids = instance.get_run_ids(RunsFilter(statuses=_FAILED))
    read = {}
    for some in _portions([run_id for run_id in run_ids if run_id not in _ended]):
        for run in ended_runs(instance, some):
            subject, attempt = subject_said(run.job, run.assets, run.tags), _attempt(run)
            long_ended = time() - (run.ended or run.changed) > SECONDS_OF_CHANGE
            final = subject is None or ((attempt.noted or long_ended) and not attempt.retried_soon)
            (_ended if final else read)[attempt.run_id] = subject, attempt
    attempts: dict[Subject, list[Attempt]] = {}
    for run_id in run_ids:
        subject, attempt = _ended.get(run_id) or read.get(run_id, (None, None))
        if subject is not None and attempt is not None:
            attempts.setdefault(subject, []).append(attempt)
    return attempts


def note_reason(instance: dg.DagsterInstance, attempt: Attempt, reason: Message, digest: str) -> None:
    """Keep with a run why it failed and what it was made of, so that its log is not read again."""
    instance.add_run_tags(attempt.run_id, reason_tag(reason) | {INPUTS_TAG: digest})
    if attempt.run_id in _ended:
        subject, _ = _ended[attempt.run_id]
        _ended[attempt.run_id] = subject, replace(attempt, reason=reason, read=True, digest=digest)


def _attempt(run: EndedRun) -> Attempt:
    return Attempt(
        run.run_id,
        run.asked,
        CANCELLED if run.cancelled else reason_in(run.tags),
        run.cancelled or is_noted(run.tags),
        run.tags.get(INPUTS_TAG),
        run.tags.get(WILL_RETRY_TAG) == "true"
        and AUTO_RETRY_RUN_ID_TAG not in run.tags
        and time() - (run.ended or 0.0) < SECONDS_UNTIL_RETRY,
    )


def began(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> dict[str, float]:
    """POSIX time at which each of the runs started to work; those that wait are left out."""
    wanted = list(run_ids)
    if not wanted:
        return {}
    records = instance.get_run_records(RunsFilter(run_ids=wanted))
    return {record.dagster_run.run_id: record.start_time for record in records if record.start_time is not None}


RUNS_READ = 200
"""Runs that analyse and deliver lie between those that make clips."""


def spans_of_latest(instance: dg.DagsterInstance, count: int) -> dict[str, Span]:
    """From when to when the latest runs which finished a clip lasted, by the clip's partition key, the newest first.

    Whoever started them: the sensor, a backfill, a command or the demo.
    """
    spans: dict[str, Span] = {}
    for record in instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.SUCCESS]), limit=RUNS_READ):
        subject = subject_of(record.dagster_run)
        if subject is None or subject.stage is not Stage.CLIP:
            continue
        if record.start_time is not None and record.end_time is not None:
            spans.setdefault(subject.key, (record.start_time, record.end_time))
        if len(spans) == count:
            break
    return spans
