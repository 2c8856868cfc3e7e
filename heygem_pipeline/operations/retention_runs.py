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
import sqlalchemy as db
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from heygem_pipeline.operations.retention_items import DAY, Removable, modified
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.dagster_internals import (
    BACKFILL_ID_TAG,
    BulkActionsFilter,
    BulkActionStatus,
    RunTagsTable,
    SqlEventLogStorageTable,
    SqliteEventLogStorage,
    SqlRunStorage,
    databases_of,
    remove_databases,
)
from heygem_pipeline.runs.history import failed_attempts
from heygem_pipeline.settings import KeepSettings
from heygem_pipeline.storage.folders import DataFolders


def removable_runs(
    instance: dg.DagsterInstance, folders: DataFolders, keep: KeepSettings, found: Plan, now: float
) -> Iterator[Removable]:
    """Ended runs older than the settings say, but not those that say why something is failed now."""
    events = instance.event_log_storage
    # Dagster can keep its records elsewhere (dagster.yaml); the rules below are those of SQLite.
    if not isinstance(events, SqliteEventLogStorage):
        return
    kept = _needed_by_planner(instance, found) | _needed_by_backfills(instance)
    newest = _runs_with_newest(events)
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
    events = instance.event_log_storage
    if not isinstance(events, SqliteEventLogStorage):
        return
    known = set(instance.get_run_ids())
    shards = Path(events.path_for_shard("any")).parent
    found = {path.stem: path for path in (*shards.glob("*.db"), *folders.state.iterdir()) if _is_run_id(path.stem)}
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
        for subject, attempts in failed_attempts(instance).items()
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


def _runs_with_newest(events: SqliteEventLogStorage) -> set[str]:
    """Runs that made what is there: one holds the newest materialization of some partition."""
    table = SqlEventLogStorageTable.c
    newest = (
        db.select(db.func.max(table.id))
        .where(table.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value)
        .group_by(table.asset_key, table.partition)
    )
    with events.index_connection() as connection:
        return set(connection.execute(db.select(table.run_id).where(table.id.in_(newest)).distinct()).scalars())


def _remove_run(
    instance: dg.DagsterInstance,
    events: SqliteEventLogStorage,
    folders: DataFolders,
    run_id: str,
    holds_newest: bool,
) -> bool:
    """Remove a run, its log and its events; not its materializations where they are the newest.

    Killed between two steps it leaves what the next prune finds: the run, or the files of a run that is gone.
    """
    if not holds_newest:
        with events.index_connection() as connection:
            events.delete_events_for_run(connection, run_id)
    runs = instance.run_storage
    runs.delete_run(run_id)
    if isinstance(runs, SqlRunStorage):
        with runs.connect() as connection:
            connection.execute(RunTagsTable.delete().where(RunTagsTable.c.run_id == run_id))
    return _remove_files(events, folders, run_id)


def _remove_files(events: SqliteEventLogStorage, folders: DataFolders, run_id: str) -> bool:
    rmtree(folders.state / run_id, ignore_errors=True)
    remove_databases(events, run_id)
    return True


def _size(events: SqliteEventLogStorage, folders: DataFolders, run_id: str) -> int:
    logs = (Path(parent, name) for parent, _, names in os.walk(folders.state / run_id) for name in names)
    return sum(path.stat().st_size for path in (*databases_of(events, run_id), *logs) if path.exists())


def _is_run_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
