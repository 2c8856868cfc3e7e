"""Database and broker of a cluster that take no connection without TLS, as docs/cluster.md sets them up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.connection import Connection

from heygem_pipeline.errors import ClusterUnusable
from heygem_pipeline.operations.postgres_copy import dump_database, load_database
from heygem_pipeline.planning.requests import ask_for, read_requests
from heygem_pipeline.runs.cluster_access import require_broker, require_database
from heygem_pipeline.runs.data_folder_lock import is_served, only_runner
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline_tests.certificates import make_certificate
from heygem_pipeline_tests.conftest import data_folder_at, free_port
from heygem_pipeline_tests.postgres_server import PostgresServer, postgres_server
from heygem_pipeline_tests.redis_server import redis_server

pytestmark = pytest.mark.server


@pytest.fixture
def other_authority(tmp_path: Path) -> str:
    """That signed neither server's certificate."""
    (tmp_path / "other").mkdir()
    return str(make_certificate(tmp_path / "other").authority)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    (tmp_path / "postgres").mkdir()
    with postgres_server(free_port(), tmp_path / "postgres") as server:
        yield server


def test_all_that_speaks_to_the_database_verifies_it(
    server: PostgresServer, other_authority: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.certificate is not None
    address = server.create("cluster")
    monkeypatch.setenv("HEYGEM_DATABASE", address)
    with data_folder_at(tmp_path / "data") as folders, only_runner(folders), open_instance(folders) as instance:
        ask_for(folders, ["one|one"])
        assert is_served(folders) and instance.get_run_ids() == []
        dump_database(folders.database, tmp_path / "dump")
    empty = server.create("empty")
    load_database(empty, tmp_path / "dump")
    monkeypatch.setenv("HEYGEM_DATABASE", empty)
    with data_folder_at(tmp_path / "restored") as folders:
        assert read_requests(folders).clips == ["one|one"]
        wrong = folders.database.replace(str(server.certificate.authority), other_authority)
        with pytest.raises(ClusterUnusable, match="SSL error"):
            require_database(wrong)
        with pytest.raises(ClusterUnusable, match="no encryption"):
            require_database(folders.database.replace("verify-full", "disable"))


def test_all_that_speaks_to_the_broker_verifies_it(tmp_path: Path, other_authority: str) -> None:
    (tmp_path / "redis").mkdir()
    with redis_server(free_port(), tmp_path / "redis", encrypted=True) as broker:
        assert broker.certificate is not None
        require_broker(broker.address)
        with Connection(broker.address) as connection:
            connection.ensure_connection(max_retries=1)
        with pytest.raises(ClusterUnusable, match="CERTIFICATE_VERIFY_FAILED"):
            require_broker(broker.address.replace(str(broker.certificate.authority), other_authority))
