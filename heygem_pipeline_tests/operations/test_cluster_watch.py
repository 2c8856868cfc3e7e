"""What the controller sees of its workers and their runs, on a real PostgreSQL, with a clock of the test's own."""

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest
from dagster import DagsterRunStatus
from typer.testing import CliRunner

from heygem_pipeline.cli.doctor import cluster_findings
from heygem_pipeline.cli.main import app
from heygem_pipeline.errors import ClusterUnusable
from heygem_pipeline.messages.message import Message
from heygem_pipeline.operations import cluster_heartbeat, cluster_watch, cluster_worker
from heygem_pipeline.operations.cluster_identity import announce
from heygem_pipeline.operations.cluster_watch import ClusterWatch
from heygem_pipeline.operations.cluster_worker import examine
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.cluster_queues import QUEUE_TAG, WORKER_TAG, Queue
from heygem_pipeline.runs.cluster_workers import HeldRun, Worker, Workers, WorkerState
from heygem_pipeline.runs.failure_reasons import INTERRUPTED, STOPPED, WORKER_LOST, reason_in
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.atomic import WRITER, atomic_path
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import data_folders
from heygem_pipeline_tests.conftest import data_folder_at
from heygem_pipeline_tests.house import CLIP, VOICE, House
from heygem_pipeline_tests.postgres_server import PostgresServer
from heygem_pipeline_tests.served import wait_for
from heygem_pipeline_tests.studio.conftest import page, rules

pytestmark = pytest.mark.server

SECONDS_TO_NOTICE = 30.0
BROKER = "redis://127.0.0.1:1/0"
"""Nobody is asked there."""


@dataclass
class Watched:
    """A cluster without a daemon: the test looks, and the time is what it says."""

    house: House
    workers: Workers
    now: float = 0.0

    def __post_init__(self) -> None:
        self.watch = ClusterWatch(lambda: self.now)

    def worker(self, name: str, queue: Queue = Queue.GPU, state: WorkerState = WorkerState.READY) -> str:
        self.workers.enter(Worker(name, queue, "here", name, "1", state=state))
        return name

    def run(self, worker: str | None, status: DagsterRunStatus, assets: list[str] = CLIP, key: str = "one|one") -> str:
        queue = Queue.GPU if assets is CLIP else Queue.CPU
        tags = {QUEUE_TAG: queue.value} | ({WORKER_TAG: worker} if worker else {})
        return self.house.run(assets, key, status, tags)

    def look(self, seconds: float, *alive: str) -> None:
        """Again and again for so long, while these workers are heard of."""
        end = self.now + seconds
        while self.now < end:
            for name in alive:
                assert self.workers.beat(name, 0.0) is not None
            self.watch.look(self.house.instance, self.house.folders, settings())
            self.now += cluster_watch.SECONDS_BETWEEN_LOOKS

    def status(self, run_id: str) -> DagsterRunStatus:
        run = self.house.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def reason(self, run_id: str) -> Message | None:
        run = self.house.instance.get_run_by_id(run_id)
        return reason_in(run.tags) if run is not None and run.status is DagsterRunStatus.FAILURE else None


@pytest.fixture
def watched(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Watched]:
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name, "dagster"))
    monkeypatch.setenv("HEYGEM_BROKER", BROKER)
    with data_folder_at(tmp_path / "data") as folders, open_instance(folders) as instance:
        yield Watched(House(folders, instance), Workers(folders.database))


def test_a_worker_that_falls_silent_loses_its_run_and_no_other_does(watched: Watched) -> None:
    dead, other = watched.worker("dead"), watched.worker("other")
    lost, going_on = watched.run(dead, DagsterRunStatus.STARTED), watched.run(other, DagsterRunStatus.STARTED)
    assert watched.workers.take(dead, lost, 1) and watched.workers.take(other, going_on, 2)
    instance = watched.house.instance
    watched.look(5, dead, other)
    assert instance.event_log_storage.get_concurrency_info("gpu").slot_count == 4
    watched.look(cluster_watch.SILENT_SECONDS / 2, other)
    assert watched.status(lost) is DagsterRunStatus.STARTED
    # It may have been heard of just before it died, and died just after a look.
    watched.look(
        SECONDS_TO_NOTICE - cluster_watch.SILENT_SECONDS / 2 - 2 * cluster_heartbeat.SECONDS_BETWEEN_BEATS, other
    )
    assert watched.reason(lost) == Message(WORKER_LOST, worker=dead)
    assert watched.status(going_on) is DagsterRunStatus.STARTED
    assert instance.event_log_storage.get_concurrency_info("gpu").slot_count == 2
    assert {worker.name: worker.state for worker in watched.workers.all()}[dead] is WorkerState.LOST
    # It was only cut off: it hears so, and begins nothing more.
    assert watched.workers.beat(dead, 0.0) is None and not watched.workers.take(dead, "another", 1)


def test_nobody_is_taken_for_dead_because_the_database_was_away(watched: Watched) -> None:
    name = watched.worker("worker")
    watched.look(10, name)
    watched.now += 600
    watched.look(5)
    watched.look(30, name)
    assert watched.workers.all()[0].state is WorkerState.READY


def test_a_run_whose_process_ended_without_a_word_is_failed(watched: Watched) -> None:
    name = watched.worker("worker")
    killed, cancelled = watched.run(name, DagsterRunStatus.STARTED), watched.run(name, DagsterRunStatus.CANCELING)
    assert watched.workers.take(name, killed, 1)
    watched.look(20, name)
    assert watched.status(killed) is DagsterRunStatus.STARTED
    assert watched.status(cancelled) is DagsterRunStatus.CANCELED
    watched.workers.finish(killed)
    watched.look(15, name)
    assert watched.reason(killed) == INTERRUPTED


def test_what_a_lost_run_was_writing_is_removed(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    name = watched.worker("worker")
    run_id = watched.run(name, DagsterRunStatus.STARTED)
    folders, clip = watched.house.folders, ClipKey("one", "one")
    left = []
    for writer, path in ((run_id, folders.clip(clip)), (run_id, folders.patches(clip)), ("other", folders.clip(clip))):
        monkeypatch.setenv(WRITER, writer)
        with atomic_path(path) as temporary:
            temporary.touch()
            left.append(temporary)
    for path in left:
        path.touch()
    watched.look(20, name)
    assert [path.exists() for path in left] == [False, False, True]


@pytest.mark.parametrize("by_another_controller", [False, True])
def test_what_a_run_was_writing_that_dagster_itself_failed_is_removed(
    watched: Watched, by_another_controller: bool
) -> None:
    there = watched.worker("there")
    failed = watched.run(there, DagsterRunStatus.STARTED)
    assert watched.workers.take(there, failed, 1)
    half = watched.house.folders.patches(ClipKey("one", "one")).with_name(f".writing-{failed}-1.parquet")
    half.parent.mkdir(parents=True)
    half.touch()
    watched.look(3, there)
    run = watched.house.instance.get_run_by_id(failed)
    assert run is not None and half.exists()
    watched.house.instance.report_run_failed(run)
    if by_another_controller:
        watched.watch = ClusterWatch(lambda: watched.now)
    watched.look(3, there)
    assert not half.exists()


def test_a_run_that_was_lost_on_its_way_is_asked_for_again(watched: Watched) -> None:
    idle = watched.worker("idle", Queue.CPU)
    lost = watched.run(None, DagsterRunStatus.STARTING, VOICE, "one")
    assert watched.workers.assign(Queue.CPU, lost)
    # As a retry by Dagster has it, which takes over its predecessor's tags.
    watched.house.instance.add_run_tags(lost, {WORKER_TAG: "another"})
    watched.look(20, idle)
    assert watched.status(lost) is DagsterRunStatus.STARTING
    watched.look(25, idle)
    assert watched.reason(lost) == STOPPED
    assert watched.workers.all()[0].runs == ()


@pytest.mark.parametrize("how", ["lost", "left"])
def test_a_run_whose_worker_went_before_it_had_come_is_asked_for_again(watched: Watched, how: str) -> None:
    gone = watched.worker("gone")
    handed = watched.run(None, DagsterRunStatus.STARTING)
    assert watched.workers.assign(Queue.GPU, handed)
    watched.look(10, gone)
    assert watched.status(handed) is DagsterRunStatus.STARTING
    if how == "left":
        watched.workers.leave(gone)
    else:
        watched.workers.mark(gone, WorkerState.LOST, Message(WORKER_LOST, worker=gone))
    watched.look(10)
    assert watched.reason(handed) == STOPPED
    assert watched.workers.held() == {}


def test_a_run_that_ended_with_its_worker_is_held_by_nobody(watched: Watched) -> None:
    dead = watched.worker("dead")
    run_id = watched.run(dead, DagsterRunStatus.SUCCESS)
    assert watched.workers.take(dead, run_id, 1)
    watched.look(10, dead)
    assert watched.workers.held().keys() == {run_id}
    watched.look(30)
    assert watched.workers.held() == {}


def test_each_run_goes_to_the_worker_that_holds_the_fewest(watched: Watched) -> None:
    workers = watched.workers
    assert workers.assign(Queue.GPU, "nobody is there") is None
    for name in ("a", "b"):
        watched.worker(name)
    watched.worker("c", Queue.CPU)
    watched.worker("leaving", state=WorkerState.LEAVING)

    def given(run_id: str) -> str:
        worker = workers.assign(Queue.GPU, run_id)
        assert worker is not None
        return worker.name

    assert {given("1"), given("2")} == {"a", "b"}
    assert {given("3"), given("4")} == {"a", "b"}
    of_b = next(worker for worker in workers.all() if worker.name == "b").runs
    workers.finish(of_b[0].run_id)
    assert given("5") == "b"


def test_a_run_that_the_broker_brings_to_another_worker_is_held_by_that(watched: Watched) -> None:
    for name in ("a", "b"):
        watched.worker(name)
    given = watched.workers.assign(Queue.GPU, "run")
    assert given is not None and given.name == "a"
    assert watched.workers.take("b", "run", 1)
    assert {worker.name: worker.runs for worker in watched.workers.all()} == {"a": (), "b": (HeldRun("run", "b", 1),)}


def test_a_clip_that_was_lost_with_three_workers_is_given_up(watched: Watched) -> None:
    house = watched.house
    house.make_inputs()
    for number in range(3):
        assert house.clip().state is State.READY
        name = watched.worker(f"worker {number}")
        assert watched.workers.take(name, watched.run(name, DagsterRunStatus.STARTED), 1)
        watched.look(25)
    assert house.clip().state is State.FAILED


def test_as_many_runs_go_out_as_the_workers_of_their_queue_hold(watched: Watched) -> None:
    pytest.importorskip("redis", reason="the extra cluster is not installed")
    for name in ("a", "b"):
        watched.worker(name)
    watched.worker("c", Queue.CPU)
    for state in (WorkerState.STARTING, WorkerState.LEAVING, WorkerState.UNFIT, WorkerState.LOST):
        watched.worker(state.value, state=state)
    config = watched.house.instance.get_concurrency_config().run_queue_config
    assert config is not None
    limits = {limit["value"]: limit["limit"] for limit in config.tag_concurrency_limits if limit["key"] == QUEUE_TAG}
    assert limits == {"gpu": 4, "cpu": 1}  # One draws, and the next gets ready.
    # The broker is away: what is handed to it would be lost.
    assert config.max_concurrent_runs == 0


def test_status_doctor_and_studio_show_the_workers(watched: Watched) -> None:
    folders = watched.house.folders
    watched.house.make_inputs()
    at_work, lost = watched.worker("at work"), watched.worker("lost")
    run_id = watched.run(at_work, DagsterRunStatus.STARTED)
    assert watched.workers.take(at_work, run_id, 1)
    watched.workers.mark(lost, WorkerState.LOST, Message(WORKER_LOST, worker=lost))
    told = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)["workers"]
    assert {worker["name"]: (worker["state"], worker["runs"]) for worker in told} == {
        at_work: ("ready", [run_id]),
        lost: ("lost", []),
    }
    findings = {finding.subject: finding.sign for finding in cluster_findings(folders)}
    # The broker is away, and nobody is there for what needs no card.
    assert findings["worker at work"] == findings["database"] == "ok"
    assert findings["broker"] == "missing" and findings["worker lost"] == findings["queue cpu"] == "note"
    assert "queue gpu" not in findings
    with page(watched.house, rules()) as studio:
        shown = {worker["state"]: worker for worker in studio.get("/api/shown").json()["workers"]}
    assert shown["working"]["clips"] == ["one x one"]
    assert shown["lost"]["reason"]["code"] == WORKER_LOST


def test_a_worker_says_why_it_must_take_no_work(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = watched.house.folders

    def why(queue: Queue = Queue.GPU) -> str:
        worker = examine(folders, settings(), queue, None)
        assert worker.state is WorkerState.UNFIT and worker.reason is not None
        return worker.reason.code

    with pytest.raises(ClusterUnusable, match="controller"):
        examine(folders, settings(), Queue.GPU, None)
    announce(folders)
    assert examine(folders, settings(), Queue.GPU, None).state is WorkerState.STARTING
    with monkeypatch.context() as patch:
        patch.setattr(cluster_worker, "pipeline_version", lambda: "other")
        assert why() == "cluster.other_version"
    with monkeypatch.context() as patch:
        patch.setattr(cluster_heartbeat, "time", lambda: 12.0)
        assert why() == "cluster.other_time"
    with monkeypatch.context() as patch:
        patch.setenv("HEYGEM_ENGINE", "wav2lip")
        settings.cache_clear()
        assert why() == "cluster.lacks"
        assert examine(folders, settings(), Queue.CPU, None).reason is None
    settings.cache_clear()
    (folders.state / "cluster-id").write_text("of another")
    assert why() == "cluster.other_folder"


def test_a_broker_without_a_database_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEYGEM_BROKER", BROKER)
    with data_folder_at(tmp_path / "data"), pytest.raises(ClusterUnusable, match="needs both"):
        open_instance(data_folders())


def test_runs_of_the_controller_itself_are_left_alone(watched: Watched) -> None:
    run = watched.house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
    watched.worker("worker")
    watched.look(60, "worker")
    assert watched.status(run) is DagsterRunStatus.STARTED


def test_a_run_is_cancelled_by_its_worker_and_at_once_where_none_is_at_it(watched: Watched) -> None:
    pytest.importorskip("dagster_celery", reason="the extra cluster is not installed")
    name = watched.worker("worker")
    at_work, on_its_way = watched.run(name, DagsterRunStatus.STARTED), watched.run(None, DagsterRunStatus.STARTING)
    assert watched.workers.take(name, at_work, 1)
    launcher = watched.house.instance.run_launcher
    assert launcher.terminate(at_work) and launcher.terminate(on_its_way)
    assert watched.status(at_work) is DagsterRunStatus.CANCELING and watched.workers.all()[0].runs[0].told_to_stop
    assert watched.status(on_its_way) is DagsterRunStatus.CANCELED
    assert not launcher.terminate(on_its_way)


def test_a_worker_hears_what_becomes_of_it_and_its_run(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_heartbeat, "SECONDS_BETWEEN_BEATS", 0.02)
    workers, name, lost, unfit = watched.workers, watched.worker("worker"), Event(), list[Message]()
    heartbeat = cluster_heartbeat.Heartbeat(workers, name, lost.set, unfit.append)
    heartbeat.start()
    with subprocess.Popen(["sleep", "600"]) as run:
        assert workers.take(name, "cancelled", run.pid)
        assert workers.tell_to_stop("cancelled")
        assert run.wait() == -signal.SIGTERM
    wait_for(lambda: workers.all()[0].runs == ())
    with monkeypatch.context() as patch:
        patch.setattr(cluster_heartbeat, "time", lambda: 12.0)
        wait_for(lambda: [reason.code for reason in unfit] == ["cluster.other_time"])
    workers.mark(name, WorkerState.LOST)
    assert lost.wait(60)
    heartbeat.join()
