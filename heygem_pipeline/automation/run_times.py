"""When runs began and how long they took, for estimates."""

from collections.abc import Iterable

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter
from dagster._core.storage.tags import PARTITION_NAME_TAG

from heygem_pipeline.automation.stages import JOB_OF_STAGE, Stage


def began(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> dict[str, float]:
    """POSIX time at which each of the runs started to work; those that wait are left out."""
    wanted = list(run_ids)
    if not wanted:
        return {}
    records = instance.get_run_records(RunsFilter(run_ids=wanted))
    return {record.dagster_run.run_id: record.start_time for record in records if record.start_time is not None}


def seconds_of_latest(instance: dg.DagsterInstance, count: int) -> dict[str, float]:
    """Seconds that the latest runs which finished a clip took, by the clip's partition key, the newest first."""
    finished = RunsFilter(job_name=JOB_OF_STAGE[Stage.CLIP], statuses=[DagsterRunStatus.SUCCESS])
    seconds: dict[str, float] = {}
    for record in instance.get_run_records(finished, limit=count):
        key = record.dagster_run.tags.get(PARTITION_NAME_TAG)
        if key is not None and record.start_time is not None and record.end_time is not None:
            seconds.setdefault(key, record.end_time - record.start_time)
    return seconds
