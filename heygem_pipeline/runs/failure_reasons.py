"""Why a run failed, as a message: how an asset records it, how it is read from the run's log, and kept in a tag."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster import DagsterEventType
from sqlalchemy.exc import DatabaseError

from heygem_pipeline.errors import DiskFull, PipelineError
from heygem_pipeline.messages.message import Message, Value, verbatim
from heygem_pipeline.runs.dagster_internals import (
    DagsterEvent,
    DagsterExecutionInterruptedError,
    RunFailureReason,
    SerializableErrorInfo,
    StepFailureData,
)

INTERRUPTED = Message("run.interrupted")
"""Its process was killed, for memory perhaps. Such a run is asked for again, but not without end."""

STOPPED = Message("run.stopped")
"""It ended with the pipeline or the machine, through no fault of its own. Such a run is asked for again."""

WORKER_LOST = "run.worker_lost"
"""The code of a run whose worker was not heard of any more: its machine is down, perhaps through this very run."""

UNREADABLE = Message("run.log_damaged")
"""Its log is damaged."""

CANCELLED = Message("clip.cancelled")

SLOW_START = Message("run.slow_start")
"""It did not start in the time that is allowed: the machine was busy, or its process died at once."""

UNEXPECTED = "run.unexpected"
"""The code of an error that nobody foresaw."""

DATABASE_FAILED = "run.database_failed"
"""The code of a run in which the database of the records, or a connection to it, was away. It is asked for again."""

OF_DATABASE = frozenset({"OperationalError", "InterfaceError", "DatabaseError"})
"""The errors of Python's DB-API, and SQLAlchemy's of the same names, that the database and not the question causes."""

DISK_FULL = frozenset({"storage.disk_full", "run.disk_full"})
"""Codes of a disk that was full, as this version and as earlier ones recorded it."""

REASON_TAG = "heygem/reason"
"""Of a run: why it failed, a message as JSON; read from its log once."""

OLD_TAG = "heygem/sentence"
"""What earlier versions wrote instead: a word of ``_OLD_WORDS``, or the English sentence."""

_OLD_WORDS = {"interrupted": INTERRUPTED, "stopped": STOPPED}

LONGEST_TEXT = 500
"""Characters of each text of a reason: the planner reads a run's tags with every look at it."""


def failure_metadata(error: PipelineError) -> dict[str, Any]:
    """What ``read_reason`` reads in a step's failure."""
    return {
        "error": type(error).__name__,
        "code": error.code,
        "values": dg.MetadataValue.json(error.message.as_json()["values"]),
    }


def reason_in(tags: Mapping[str, str]) -> Message | None:
    """Why a run with these tags failed; None where that was not noted yet."""
    if REASON_TAG in tags:
        return Message.from_json(json.loads(tags[REASON_TAG]))
    if OLD_TAG in tags:
        return _OLD_WORDS.get(tags[OLD_TAG]) or verbatim(tags[OLD_TAG])
    return None


def is_noted(tags: Mapping[str, str]) -> bool:
    """Do the tags say all that the log does? Earlier versions noted no code."""
    return REASON_TAG in tags or tags.get(OLD_TAG) in _OLD_WORDS


def reason_tag(reason: Message) -> dict[str, str]:
    """The tag that ``reason_in`` reads."""
    return {REASON_TAG: json.dumps(reason.as_json(), ensure_ascii=False)}


def read_reason(instance: dg.DagsterInstance, run_id: str, otherwise: Message | None = None) -> Message:
    """Return why a run failed, as its log says.

    Args:
        otherwise: where that says nothing; else it was interrupted.
    """
    kinds = {DagsterEventType.RUN_FAILURE, DagsterEventType.STEP_FAILURE}
    try:
        records = instance.get_records_for_run(run_id, of_type=kinds).records
    except DatabaseError:
        return otherwise or UNREADABLE  # the log is damaged; those of other runs are not
    events = [event for record in records if (event := record.event_log_entry.dagster_event) is not None]
    if any(map(_was_told_to_stop, events)):
        return STOPPED
    if any(_run_failed_for(event, RunFailureReason.START_TIMEOUT) for event in events):
        return SLOW_START
    failures = (event.step_failure_data for event in events if event.is_step_failure)
    reasons = (reason for failure in failures if (reason := _reason_of(failure)) is not None)
    return next(reasons, otherwise or INTERRUPTED)


def _was_told_to_stop(event: DagsterEvent) -> bool:
    """Was the run ended (SIGTERM, Ctrl-C), and not by a person who cancelled it?"""
    if event.is_step_failure:
        error = event.step_failure_data.error
        return error is not None and error.cls_name == DagsterExecutionInterruptedError.__name__
    # Between two steps only the run's own event says so.
    return _run_failed_for(event, RunFailureReason.UNEXPECTED_TERMINATION)


def _run_failed_for(event: DagsterEvent, reason: RunFailureReason) -> bool:
    # What was failed from outside has no data.
    if event.is_step_failure or event.event_specific_data is None:
        return False
    return event.job_failure_data.failure_reason is reason


def _reason_of(failure: StepFailureData) -> Message | None:
    data = failure.user_failure_data
    if data is not None and data.description:
        return _shortened(_recorded({name: value.value for name, value in data.metadata.items()}, data.description))
    if failure.error is None:
        return None
    causes = list(_causes(failure.error))
    if any(error.cls_name in OF_DATABASE for error in causes):
        return _shortened(Message(DATABASE_FAILED, error=causes[-1].message.strip().splitlines()[0]))
    root = failure.error.cause or failure.error
    return _shortened(Message(UNEXPECTED, error=root.message.strip().splitlines()[-1]))


def _causes(error: SerializableErrorInfo | None) -> Iterator[SerializableErrorInfo]:
    while error is not None:
        yield error
        error = error.cause


def _recorded(metadata: Mapping[str, Any], description: str) -> Message:
    """The message of ``failure_metadata``; earlier versions recorded the error's name and its sentence alone."""
    if "code" in metadata:
        return Message.from_json(metadata)
    if metadata.get("error") == DiskFull.__name__:
        return Message("run.disk_full", sentence=description)
    return verbatim(description)


def _shortened(reason: Message) -> Message:
    return Message(reason.code, **{name: _shortened_value(value) for name, value in reason.values.items()})


def _shortened_value(value: Value) -> Value:
    if isinstance(value, Message):
        return _shortened(value)
    if isinstance(value, tuple):
        return tuple(map(_shortened, value))
    return value[:LONGEST_TEXT] if isinstance(value, str) else value
