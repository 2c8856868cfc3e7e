"""Dagster's records in PostgreSQL, over connections that are kept: named in dagster.yaml.

Dagster makes a connection for every question, and a process of PostgreSQL with it: most of what a clip cost a cluster.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Self
from weakref import WeakSet

import sqlalchemy as db
from dagster_postgres.auth import PgTokenProvider
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config, retry_pg_connection_fn

from heygem_pipeline.runs.dagster_internals import ConfigurableClassData

CONNECTIONS_KEPT = 2
"""By each process; more are made where more of its threads ask at once, and closed after that."""

TABLES = {"runs", "instance_info", "event_logs", "jobs"}
"""Dagster makes all others with these."""

_engines: WeakSet[db.Engine] = WeakSet()


def _let_parent_keep_its_own() -> None:
    for engine in _engines:
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_let_parent_keep_its_own)


class PostgresRecords(DagsterPostgresStorage):
    """All three kinds of records, over the same connections."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
        token_provider: PgTokenProvider | None = None,
    ) -> None:
        engine = create_pg_engine(
            postgres_url,
            token_provider,
            isolation_level="AUTOCOMMIT",
            pool_size=CONNECTIONS_KEPT,
            max_overflow=-1,
            # The server may have been started anew.
            pool_pre_ping=True,
        )
        _engines.add(engine)
        tables = retry_pg_connection_fn(lambda: db.inspect(engine).get_table_names())
        complete = set(tables) >= TABLES
        super().__init__(postgres_url, should_autocreate_tables and not complete, inst_data, token_provider)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = engine
        # What Dagster closes when it is done.
        self._event_log_storage.dispose = _both(self._event_log_storage.dispose, engine.dispose)

    @classmethod
    def from_config_value(  # pyright: ignore[reportIncompatibleMethodOverride] - as Dagster has it
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """As Dagster has it."""
        return cls(pg_url_from_config(config_value), inst_data=inst_data)  # pyright: ignore[reportArgumentType]


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        second()

    return call
