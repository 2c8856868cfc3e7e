"""Runs whose process died tell nothing themselves: somebody has to say it in the log of everything."""

import logging

import dagster as dg
from dagster import DagsterRunStatus

from heygem_pipeline.automation.log_file import note
from heygem_pipeline.automation.recovery import ABANDONED
from heygem_pipeline.automation.run_log import KILLED


@dg.run_status_sensor(
    run_status=DagsterRunStatus.FAILURE,
    name="killed_runs",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Writes into heygem.log which runs were failed from outside: their processes were killed or vanished.",
)
def killed_runs(context: dg.RunStatusSensorContext) -> None:
    """Note a failure that the run itself did not write; recovery has noted its own."""
    event = context.dagster_event
    if event.event_specific_data is None and event.message != ABANDONED:
        note(f"{KILLED} {event.message or ''}".rstrip(), "run", context.dagster_run, logging.ERROR)
