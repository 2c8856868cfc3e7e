"""After a power cut: runs nobody works on are failed, their pool slots freed, their half-written files deleted."""

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX
from heygem_pipeline.storage.folders import DataFolders

ALIVE = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


def remove_half_written(folders: DataFolders) -> None:
    """Delete what killed runs were writing; only to be called while nothing writes into the data folder."""
    for abandoned in folders.root.rglob(f"{TEMPORARY_PREFIX}*"):
        abandoned.unlink(missing_ok=True)


def fail_abandoned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Fail every run that is marked as running; only to be called while no daemon and no run process is alive.

    Dagster's default launcher has no health check: such a run would keep its pool slot for ever.
    """
    abandoned = [run.run_id for run in instance.get_runs(RunsFilter(statuses=ALIVE))]
    for run_id in abandoned:
        run = instance.get_run_by_id(run_id)
        if run is not None:
            instance.report_run_failed(run, "The machine or the pipeline stopped while this run was working.")
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return abandoned
