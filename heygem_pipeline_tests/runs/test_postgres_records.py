"""Dagster's connections to PostgreSQL: kept while its records are open, and no longer."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as db

from heygem_pipeline.runs.dagster_internals import SqlEventLogStorage, SqlRunStorage
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import data_folder_at
from heygem_pipeline_tests.postgres_server import PostgresServer, engine_of
from heygem_pipeline_tests.served import wait_for

pytestmark = pytest.mark.server

OWN = db.text("SELECT pg_backend_pid()")
OTHERS = db.text("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")


@pytest.fixture
def folders(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DataFolders]:
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name, "dagster"))
    with data_folder_at(tmp_path / "data") as folders:
        yield folders


def connection_of(instance: dg.DagsterInstance) -> int:
    """The process of PostgreSQL that answers it."""
    runs, events = instance.run_storage, instance.event_log_storage
    assert isinstance(runs, SqlRunStorage) and isinstance(events, SqlEventLogStorage)
    with runs.connect() as connection:
        first = connection.execute(OWN).scalar_one()
    with events.index_connection() as connection:
        assert connection.execute(OWN).scalar_one() == first
    return first


def test_all_questions_go_over_one_connection_that_ends_with_the_instance(folders: DataFolders) -> None:
    with open_instance(folders) as instance:
        assert connection_of(instance) == connection_of(instance)
    with engine_of(folders.database).connect() as connection:
        wait_for(lambda: connection.execute(OTHERS).all() == [])


def test_a_connection_that_broke_is_made_anew(folders: DataFolders) -> None:
    with open_instance(folders) as instance:
        broken = connection_of(instance)
        with engine_of(folders.database).connect() as connection:
            connection.execute(db.text("SELECT pg_terminate_backend(:pid)"), {"pid": broken})
        assert connection_of(instance) != broken


def test_a_fork_does_not_speak_on_the_connection_of_its_parent(folders: DataFolders) -> None:
    with open_instance(folders) as instance:
        own = connection_of(instance)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = int(connection_of(instance) == own)
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert connection_of(instance) == own
