"""What runs really did and when, read from Dagster's events afterwards."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import dagster as dg
from dagster import DagsterEventType

from heygem_pipeline.runs.stages import Subject, step_name, subject_of

ENDS = (DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE)


@dataclass(frozen=True)
class Work:
    """A run, or a step of one, that was worked on from ``begin`` to ``end`` (POSIX seconds)."""

    subject: Subject
    run_id: str
    begin: float
    end: float

    def overlaps(self, other: "Work") -> bool:
        return self.begin < other.end and other.begin < self.end


def steps(instance: dg.DagsterInstance, name: str) -> list[Work]:
    """Every time the step ran. One that was killed ends with its run: until then it may hold its place."""
    return list(_steps(instance, name))


def _steps(instance: dg.DagsterInstance, name: str) -> Iterator[Work]:
    for run in instance.get_runs():
        subject = subject_of(run)
        begin = None
        for record in instance.get_records_for_run(run.run_id).records:
            event = record.event_log_entry.dagster_event
            if subject is None or event is None or step_name(event.step_key or "") != name:
                continue
            if event.event_type is DagsterEventType.STEP_START:
                begin = record.timestamp
            elif event.event_type in ENDS and begin is not None:
                yield Work(subject, run.run_id, begin, record.timestamp)
                begin = None
        if subject is not None and begin is not None:
            yield Work(subject, run.run_id, begin, _end_of(instance, run.run_id))


def runs(instance: dg.DagsterInstance) -> list[Work]:
    """Every run that worked on a voice, a presenter or a clip, from its process's first word to its end."""
    worked = []
    for run in instance.get_runs():
        subject, stats = subject_of(run), instance.get_run_stats(run.run_id)
        if subject is not None and stats.start_time is not None:
            worked.append(Work(subject, run.run_id, stats.start_time, _end_of(instance, run.run_id)))
    return worked


def _end_of(instance: dg.DagsterInstance, run_id: str) -> float:
    end = instance.get_run_stats(run_id).end_time
    assert end is not None, f"the run {run_id} has not ended"
    return end


def overlapping(work: Iterable[Work]) -> list[tuple[Work, Work]]:
    """The pairs that went on at one time."""
    return [(one, other) for one, other in combinations(work, 2) if one.overlaps(other)]
