"""Read by Python at its start. In Dagster's daemon: looks every second or two where Dagster waits 5 to 30 seconds.

What the daemon does stays the same. A test that puts this folder on PYTHONPATH only waits less.
"""

import os
import sys

SECONDS = 1
SECONDS_BETWEEN_TICKS = {"uploads": 2, "clips": 2}
"""Of these sensors; longer than a test's slow upload pauses, so that it is seen to grow from tick to tick."""

SECONDS_BETWEEN_OTHER_TICKS = 5
"""Each tick costs the processor some hundredths of a second, in every pipeline that runs beside the others."""

SECONDS_TO_START = 60
"""After them a run whose process died while it started is noticed. Longer than a start takes among other tests."""

if "heygem_pipeline.cli.dagster_daemon" in sys.orig_argv:
    # Of the daemon that starts a run once more whose process died.
    os.environ["DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS"] = str(SECONDS)

    from heygem_pipeline.garbage_collection import collected_afterwards

    with collected_afterwards():
        from dagster import DagsterInstance
        from dagster._core.remote_representation.external import RemoteSensor
        from dagster._daemon import backfill, sensor

    backfill.DEFAULT_DAEMON_INTERVAL_SECONDS = SECONDS  # pyright: ignore[reportAttributeAccessIssue]
    sensor.MIN_INTERVAL_LOOP_TIME = SECONDS
    RemoteSensor.min_interval_seconds = property(  # pyright: ignore[reportAttributeAccessIssue]
        lambda sensor: SECONDS_BETWEEN_TICKS.get(sensor.name, SECONDS_BETWEEN_OTHER_TICKS)
    )
    DagsterInstance.run_monitoring_poll_interval_seconds = property(lambda _: SECONDS)  # pyright: ignore[reportAttributeAccessIssue]
    DagsterInstance.run_monitoring_start_timeout_seconds = property(lambda _: SECONDS_TO_START)  # pyright: ignore[reportAttributeAccessIssue]
    DagsterInstance.run_monitoring_settings = property(  # pyright: ignore[reportAttributeAccessIssue]
        lambda instance: instance.get_settings("run_monitoring") | {"free_slots_after_run_end_seconds": SECONDS}
    )
