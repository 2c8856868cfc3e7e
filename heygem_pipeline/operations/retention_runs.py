"""Which ended runs are no longer needed, and how they are removed without losing what they made.

Dagster's own ``delete_run`` takes a run's materializations with it, and with these the data versions: every clip it
made would count as missing. Here the newest materialization of each partition stays, only its run goes.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import rmtree
from uuid import UUID

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from heygem_pipeline.operations.retention_items import DAY, Removable, modified
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.dagster_internals import BACKFILL_ID_TAG, BulkActionsFilter, BulkActionStatus
from heygem_pipeline.runs.history import read_failed_attempts
from heygem_pipeline.runs.run_events import RunEvents
from heygem_pipeline.settings import KeepSettings
from heygem_pipeline.storage.paths import DataFolders


def removable_runs(
    instance: dg.DagsterInstance, folders: DataFolders, keep: KeepSettings, found: Plan, now: float
) -> Iterator[Removable]:
    """Ended runs older than the settings say, but not those that say why something is failed now."""
    events = RunEvents(instance)
    kept = _needed_by_planner(instance, found) | _needed_by_backfills(instance)
    newest = events.runs_with_newest()
    good, bad = keep.keep_runs_days, keep.keep_failed_runs_days
    for what, days, setting, statuses in (
        ("runs that ended well", good, "HEYGEM_KEEP_RUNS_DAYS", [DagsterRunStatus.SUCCESS]),
        ("failed runs", bad, "HEYGEM_KEEP_FAILED_RUNS_DAYS", [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]),
    ):
        before = datetime.fromtimestamp(max(0.0, now - days * DAY), UTC)
        for run_id in instance.get_run_ids(RunsFilter(statuses=statuses, created_before=before)):
            if run_id not in kept:
                yield Removable(
                    what,
                    f"{setting}={days:g}",
                    _size(events, folders, run_id),
                    partial(_remove_run, instance, events, folders, run_id, run_id in newest),
                )


def removable_records(instance: dg.DagsterInstance, folders: DataFolders, now: float) -> Iterator[Removable]:
    """Events and logs whose run is gone: a prune was killed, or somebody deleted the run in the page."""
    events = RunEvents(instance)
    known = set(instance.get_run_ids())
    found = {path.stem: path for path in (*events.files_of_all(), *folders.state.iterdir()) if _is_run_id(path.stem)}
    for run_id, path in sorted(found.items()):
        changed = modified(path)
        if run_id not in known and changed is not None and now - changed >= DAY:
            remove = partial(_remove_files, events, folders, run_id)
            yield Removable(
                "events and logs of deleted runs", "the run is gone", _size(events, folders, run_id), remove
            )


def _needed_by_planner(instance: dg.DagsterInstance, found: Plan) -> set[str]:
    """Runs without which something that failed would be tried again."""
    return {
        attempt.run_id
        for subject, attempts in read_failed_attempts(instance).items()
        if (status := found.status(subject)) is not None and status.state is State.FAILED
        for attempt in attempts
    }


def _needed_by_backfills(instance: dg.DagsterInstance) -> set[str]:
    """Runs of backfills in progress, which look back at them."""
    backfills = instance.get_backfills(BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]))
    return {
        run_id
        for backfill in backfills
        for run_id in instance.get_run_ids(RunsFilter(tags={BACKFILL_ID_TAG: backfill.backfill_id}))
    }


def _remove_run(
    instance: dg.DagsterInstance, events: RunEvents, folders: DataFolders, run_id: str, holds_newest: bool
) -> bool:
    """Killed between two steps it leaves what the next prune finds: the run, or the files of a run that is gone."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    events.remove_run(run_id, keep_materializations=holds_newest)
    return _remove_files(events, folders, run_id)


def _remove_files(events: RunEvents, folders: DataFolders, run_id: str) -> bool:
    rmtree(folders.state / run_id, ignore_errors=True)
    events.remove_files(run_id)
    return True


def _size(events: RunEvents, folders: DataFolders, run_id: str) -> int:
    logs = (Path(parent, name) for parent, _, names in os.walk(folders.state / run_id) for name in names)
    return events.size(run_id) + sum(path.stat().st_size for path in logs if path.exists())


def _is_run_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
