"""A run begins on a worker only when others can know that it does, on a real PostgreSQL that is away for a while."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dagster import DagsterRunStatus
from sqlalchemy.exc import OperationalError

from heygem_pipeline.operations import cluster_worker
from heygem_pipeline.operations.cluster_worker import _RunSignals
from heygem_pipeline.runs.cluster_queues import QUEUE_TAG, WORKER_TAG, Queue
from heygem_pipeline.runs.cluster_workers import Worker, Workers, WorkerState
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.atomic import WRITER
from heygem_pipeline_tests.conftest import data_folder_at
from heygem_pipeline_tests.house import CLIP, House
from heygem_pipeline_tests.postgres_server import PostgresServer

pytestmark = pytest.mark.server

AWAY = OperationalError("UPDATE", None, Exception("server closed the connection unexpectedly"))


def away_for(tries: int, patch: pytest.MonkeyPatch) -> None:
    """What is said of workers arrives only after so many tries."""
    left = iter(range(tries))

    def late(says: Callable[..., object]) -> Callable[..., object]:
        def say(*values: object) -> object:
            if next(left, None) is not None:
                raise AWAY
            return says(*values)

        return say

    for name in ("take", "mark"):
        patch.setattr(Workers, name, late(getattr(Workers, name)))


@pytest.fixture
def house(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[House]:
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name, "dagster"))
    monkeypatch.setenv(WRITER, "")
    monkeypatch.setattr(cluster_worker, "_run_of", str)
    monkeypatch.setattr(cluster_worker, "SECONDS_BETWEEN_TRIES", 0)
    with data_folder_at(tmp_path / "data") as folders, open_instance(folders) as instance:
        yield House(folders, instance)


@pytest.fixture
def signals(house: House) -> _RunSignals:
    workers = Workers(house.folders.database)
    workers.enter(Worker("worker", Queue.GPU, "here", "0", "1", state=WorkerState.STARTING))
    return _RunSignals("worker", house.folders, workers)


def test_a_worker_says_what_it_does_when_the_database_is_back(
    house: House, signals: _RunSignals, monkeypatch: pytest.MonkeyPatch
) -> None:
    away_for(2, monkeypatch)
    signals.ready()
    (worker,) = signals.workers.all()
    assert worker.state is WorkerState.READY
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTING, {QUEUE_TAG: "gpu"})
    away_for(2, monkeypatch)
    signals.begin(run_id)
    run = house.instance.get_run_by_id(run_id)
    assert run is not None and run.tags[WORKER_TAG] == "worker" and os.environ[WRITER] == run_id


def test_a_run_of_which_nobody_can_know_does_not_begin(
    house: House, signals: _RunSignals, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTING, {QUEUE_TAG: "gpu"})
    monkeypatch.setattr(cluster_worker, "SECONDS_OF_TRYING", 0)
    away_for(1000, monkeypatch)
    child = os.fork()
    if child == 0:
        try:
            signals.begin(run_id)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
