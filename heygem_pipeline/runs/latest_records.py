"""Whether anything has happened since somebody last looked, told at once."""

from collections.abc import Iterator

import dagster as dg
import sqlalchemy as db

from heygem_pipeline.runs.dagster_internals import BulkActionsTable, RunsTable, SqlRunStorage
from heygem_pipeline.runs.instance import is_sqlite
from heygem_pipeline.storage.paths import DataFolders


def latest_records(instance: dg.DagsterInstance, folders: DataFolders) -> tuple[tuple[str, int, int], ...]:
    """What differs whenever Dagster has recorded something: its databases' times and sizes, or the newest records.

    Each change of a run's state is an event.
    """
    if is_sqlite(instance):
        return tuple(_files(folders))
    runs = instance.run_storage
    events = "events", instance.event_log_storage.get_maximum_record_id() or 0, 0
    if not isinstance(runs, SqlRunStorage):
        return (events,)
    with runs.connect() as connection:
        latest_run = connection.execute(db.select(db.func.max(RunsTable.c.id))).scalar()
        latest_backfill = connection.execute(db.select(db.func.max(BulkActionsTable.c.id))).scalar()
    return events, ("runs", latest_run or 0, latest_backfill or 0)


def _files(folders: DataFolders) -> Iterator[tuple[str, int, int]]:
    history = folders.state / "history"
    for path in (history / "runs.db", history / "runs" / "index.db"):
        for name in (path, path.with_name(path.name + "-wal")):
            try:
                status = name.stat()
            except FileNotFoundError:
                continue
            yield name.name, status.st_mtime_ns, status.st_size
