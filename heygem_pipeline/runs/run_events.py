"""The events of runs, in both of the places where Dagster may keep them.

On SQLite an index holds the events of assets, and each run has a database of its own with all its events. On
PostgreSQL one table holds everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import sqlalchemy as db
from dagster import DagsterEventType

from heygem_pipeline.runs.dagster_internals import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    RunTagsTable,
    SqlEventLogStorage,
    SqlEventLogStorageTable,
    SqliteEventLogStorage,
    SqlRunStorage,
    databases_of,
    remove_databases,
)

MATERIALIZATION = DagsterEventType.ASSET_MATERIALIZATION.value


@dataclass(frozen=True)
class RunEvents:
    """The events of an instance's runs."""

    instance: dg.DagsterInstance

    def runs_with_newest(self) -> set[str]:
        """Runs that made what is there: one holds the newest materialization of some partition."""
        table = SqlEventLogStorageTable.c
        newest = (
            db.select(db.func.max(table.id))
            .where(table.dagster_event_type == MATERIALIZATION)
            .group_by(table.asset_key, table.partition)
        )
        with self._index() as connection:
            return set(connection.execute(db.select(table.run_id).where(table.id.in_(newest)).distinct()).scalars())

    def files(self, run_id: str) -> list[Path]:
        """The run's own database, whether it is there or not; on PostgreSQL there is none."""
        storage = self._storage
        return databases_of(storage, run_id) if isinstance(storage, SqliteEventLogStorage) else []

    def files_of_all(self) -> list[Path]:
        """The databases of all runs, those that are gone too."""
        storage = self._storage
        if not isinstance(storage, SqliteEventLogStorage):
            return []
        return list(Path(storage.path_for_shard("any")).parent.glob("*.db"))

    def size(self, run_id: str) -> int:
        """Bytes of the run's events."""
        if isinstance(self._storage, SqliteEventLogStorage):
            return sum(path.stat().st_size for path in self.files(run_id) if path.exists())
        table = SqlEventLogStorageTable.c
        with self._index() as connection:
            lengths = db.select(db.func.sum(db.func.length(table.event))).where(table.run_id == run_id)
            return int(connection.execute(lengths).scalar() or 0)

    def remove_run(self, run_id: str, keep_materializations: bool) -> None:
        """Remove the run and its events. Killed between two steps, it leaves what ``files_of_all`` finds, or the run.

        keep_materializations: those of what is there, with their data versions.
        """
        self._remove_events(run_id, keep_materializations)
        runs = self.instance.run_storage
        runs.delete_run(run_id)
        if isinstance(runs, SqlRunStorage):
            with runs.connect() as connection:
                connection.execute(RunTagsTable.delete().where(RunTagsTable.c.run_id == run_id))
        self.remove_files(run_id)

    def remove_files(self, run_id: str) -> None:
        """Remove the run's own database."""
        storage = self._storage
        if isinstance(storage, SqliteEventLogStorage):
            remove_databases(storage, run_id)

    def remove_every_trace(self, run_id: str) -> None:
        """Remove the run with all that was made or checked in it.

        Dagster's own way to wipe single partitions (wipe_asset_partitions) does not work with SQLite, and deleting a
        run leaves the results of its checks, its own database's pages, and a copy of an asset's newest event.
        """
        self.instance.delete_run(run_id)
        checks, assets = AssetCheckExecutionsTable, AssetKeyTable
        without = assets.update().values(last_materialization=None, last_run_id=None)
        with self._index() as connection:
            connection.execute(checks.delete().where(checks.c.run_id == run_id))
            connection.execute(without.where(assets.c.last_run_id == run_id))
        self.remove_files(run_id)

    def _remove_events(self, run_id: str, keep_materializations: bool) -> None:
        storage = self._storage
        with self._index() as connection:
            if not keep_materializations:
                storage.delete_events_for_run(connection, run_id)
            elif not isinstance(storage, SqliteEventLogStorage):
                table = SqlEventLogStorageTable
                # Lines that are no events have no type.
                others = db.or_(table.c.dagster_event_type.is_(None), table.c.dagster_event_type != MATERIALIZATION)
                connection.execute(table.delete().where(table.c.run_id == run_id, others))

    @contextmanager
    def _index(self) -> Iterator[db.Connection]:
        """All of the block or nothing of it."""
        storage = self._storage
        with (
            storage.index_connection()
            if isinstance(storage, SqliteEventLogStorage)
            else _transaction(storage) as connection
        ):
            yield connection

    @property
    def _storage(self) -> SqlEventLogStorage:
        storage = self.instance.event_log_storage
        if not isinstance(storage, SqlEventLogStorage):
            raise TypeError(f"Dagster keeps its events in {type(storage).__name__}, which holds no tables.")
        return storage


@contextmanager
def _transaction(storage: SqlEventLogStorage) -> Iterator[db.Connection]:
    """PostgreSQL's connections would commit each statement by itself."""
    with storage.index_connection() as connection:
        together = connection.execution_options(isolation_level="READ COMMITTED")
        with together.begin():
            yield together
