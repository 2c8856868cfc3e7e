"""When runs began and how long they took, for estimates."""

from collections.abc import Iterable

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from heygem_pipeline.automation.stages import Stage, subject_of


def began(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> dict[str, float]:
    """POSIX time at which each of the runs started to work; those that wait are left out."""
    wanted = list(run_ids)
    if not wanted:
        return {}
    records = instance.get_run_records(RunsFilter(run_ids=wanted))
    return {record.dagster_run.run_id: record.start_time for record in records if record.start_time is not None}


RUNS_READ = 200
"""Runs that analyse and deliver lie between those that make clips."""


def seconds_of_latest(instance: dg.DagsterInstance, count: int) -> dict[str, float]:
    """Seconds that the latest runs which finished a clip took, by the clip's partition key, the newest first.

    Whoever started them: the sensor, a backfill, a command or the demo.
    """
    seconds: dict[str, float] = {}
    for record in instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.SUCCESS]), limit=RUNS_READ):
        subject = subject_of(record.dagster_run)
        if subject is None or subject.stage is not Stage.CLIP:
            continue
        if record.start_time is not None and record.end_time is not None:
            seconds.setdefault(subject.key, record.end_time - record.start_time)
        if len(seconds) == count:
            break
    return seconds
