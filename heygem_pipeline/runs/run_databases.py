"""What Dagster's SQLite storage keeps of a run in files of its own."""

from pathlib import Path

from heygem_pipeline.runs.dagster_internals import SqliteEventLogStorage

SQLITE_FILES = ("", "-wal", "-shm")
"""A database and what SQLite keeps beside it."""


def databases_of(events: SqliteEventLogStorage, run_id: str) -> list[Path]:
    """The run's events, whether the files are there or not."""
    return [Path(events.path_for_shard(run_id) + ending) for ending in SQLITE_FILES]


def remove_databases(events: SqliteEventLogStorage, run_id: str) -> None:
    """Delete the run's events."""
    for path in databases_of(events, run_id):
        path.unlink(missing_ok=True)
