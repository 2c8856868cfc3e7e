"""A cluster on this machine: PostgreSQL, Redis, a controller and three workers, most of which are killed meanwhile."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep, time

import av
import dagster as dg
import psutil
import pytest
from dagster import DagsterRunStatus, RunsFilter

from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.cluster_queues import QUEUE_TAG, RUNS_HELD, WORKER_TAG, Queue
from heygem_pipeline.runs.cluster_workers import HeldRun, Workers, WorkerState
from heygem_pipeline.runs.failure_reasons import (
    DATABASE_FAILED,
    INTERRUPTED,
    STOPPED,
    WORKER_LOST,
    read_reason,
    reason_in,
)
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.stages import Stage, subject_of
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX
from heygem_pipeline.storage.bucket_files import BucketFiles
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.bucket_server import BucketServer, WayToBucket
from heygem_pipeline_tests.conftest import PRESENTER_RATE, data_folder_at, free_port, write_voice
from heygem_pipeline_tests.postgres_server import PostgresServer
from heygem_pipeline_tests.redis_server import RedisServer, redis_server
from heygem_pipeline_tests.served import cut_the_power, serving, start, wait_for, wait_for_page

pytestmark = [pytest.mark.server, pytest.mark.long(minutes=3)]

VOICE_SECONDS = 4
SECONDS_WITHOUT_DATABASE = 3
SUBJECTS = Counter({Stage.VOICE: 2, Stage.PRESENTER: 2, Stage.CLIP: 4, Stage.DELIVERY: 2})


@dataclass(frozen=True)
class Cluster:
    folders: DataFolders
    database: PostgresServer
    broker: RedisServer
    scratch: Path
    bucket: WayToBucket | None = None

    @property
    def workers(self) -> Workers:
        return Workers(self.folders.database)

    @contextmanager
    def machine(self, name: str, queue: Queue, *options: str) -> Iterator[Callable[[], str]]:
        """A worker with a folder of its own for what is of no use to others; gives what waits for it and names it.

        With a bucket that is all that it shares with others.
        """
        own = self.scratch / name
        own.mkdir()
        command = [sys.executable, "-m", "heygem_pipeline", "worker", "--queue", queue.value, *options]
        with (own / "log").open("ab") as log:
            environment = os.environ | {"TMPDIR": str(own)}
            if self.bucket is not None:
                environment |= {"HEYGEM_DATA": str(own / "data")}
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        mine = f"{queue.value}-{options[1] if options else 'any'}-"

        def ready() -> list[str]:
            assert process.poll() is None, (own / "log").read_text()
            there = (worker for worker in self.workers.all() if worker.state is WorkerState.READY)
            return [worker.name for worker in there if worker.name.startswith(mine)]

        def named() -> str:
            wait_for(lambda: bool(ready()))
            return ready()[0]

        try:
            yield named
        finally:
            process.kill()
            process.wait()

    def begun_by(self, name: str) -> list[HeldRun]:
        """What the worker draws, encodes, or has ready to be drawn."""
        worker = next(worker for worker in self.workers.all() if worker.name == name)
        return [run for run in worker.runs if run.process is not None]


@pytest.fixture(params=["shared folder", "bucket"])
def cluster(
    request: pytest.FixtureRequest, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Cluster]:
    (tmp_path / "redis").mkdir()
    way = None
    if request.param == "bucket":
        server: BucketServer = request.getfixturevalue("bucket")
        way = WayToBucket(free_port(), server)
        request.addfinalizer(way.kill)
        by_way = server.environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{way.port}"}
        server.use(server.create("cluster"), monkeypatch, by_way)
    with redis_server(free_port(), tmp_path / "redis") as broker:
        monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name, "dagster"))
        monkeypatch.setenv("HEYGEM_BROKER", broker.address)
        with data_folder_at(tmp_path / "data") as folders:
            monkeypatch.setenv("HEYGEM_AUTOMATIC", "clips")
            settings.cache_clear()
            yield Cluster(folders, postgres, broker, tmp_path, way)


def kill_at_work(cluster: Cluster, instance: dg.DagsterInstance, worker: str, all_of_it: bool) -> str:
    """End the process of the run that the worker is at, or all of the worker; return the run, which had not ended."""
    while True:
        wait_for(lambda: bool(cluster.begun_by(worker)), every=0.1)
        at_it = next(iter(cluster.begun_by(worker)), HeldRun("", worker))
        if at_it.process is None:
            continue
        try:
            process = psutil.Process(at_it.process)
            parent = process.parent()
            process.suspend()
        except psutil.NoSuchProcess:
            continue
        run = instance.get_run_by_id(at_it.run_id)
        if run is not None and run.status is DagsterRunStatus.STARTED and parent is not None:
            (parent if all_of_it else process).kill()
            psutil.wait_procs([process], timeout=10)
            assert not process.is_running()
            return run.run_id
        process.resume()
        sleep(0.1)


def reason_of(instance: dg.DagsterInstance, run_id: str) -> str | None:
    run = instance.get_run_by_id(run_id)
    reason = reason_in(run.tags) if run is not None and run.status is DagsterRunStatus.FAILURE else None
    return None if reason is None else reason.code


def why(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    return (reason_in(run.tags) or read_reason(instance, run.run_id)).code


def frames_of(path: Path) -> int:
    with av.open(str(path)) as clip:
        return sum(1 for _ in clip.decode(video=0))


def test_nothing_is_lost_when_a_run_a_worker_the_database_the_broker_the_controller_and_the_bucket_die(
    cluster: Cluster, material: Path, port: int, tmp_path: Path
) -> None:
    folders = cluster.folders
    for number, name in enumerate(("one", "two")):
        write_voice(folders.voices / f"{name}.wav", VOICE_SECONDS, 16_000 + number)
        shutil.copy(material / "presenter.mp4", folders.presenters / f"{name}.mp4")
    log = tmp_path / "up.log"
    with ExitStack() as stack, open_instance(folders) as instance:
        up, children = stack.enter_context(serving(port, log))
        machines = [
            stack.enter_context(cluster.machine("a", Queue.CPU)),
            stack.enter_context(cluster.machine("b", Queue.GPU, "--device", "0")),
            stack.enter_context(cluster.machine("c", Queue.GPU, "--device", "1")),
        ]
        _, first, second = (named() for named in machines)

        lost_run = kill_at_work(cluster, instance, first, all_of_it=False)
        # Nobody can say so yet.
        cluster.database.kill()
        sleep(SECONDS_WITHOUT_DATABASE)
        cluster.database.start()
        lost_with_worker = kill_at_work(cluster, instance, second, all_of_it=True)
        wait_for(lambda: reason_of(instance, lost_run) == INTERRUPTED.code)
        wait_for(lambda: reason_of(instance, lost_with_worker) == WORKER_LOST)

        wait_for(lambda: bool(cluster.begun_by(first)), every=0.1)
        cluster.broker.kill()
        if cluster.bucket is not None:
            cluster.bucket.kill()
        cut_the_power(up, children)
        cluster.broker.start()
        if cluster.bucket is not None:
            # Its run has begun to wait for it.
            sleep(5)
            cluster.bucket.start()
        up = start(port, log)
        stack.callback(lambda: cut_the_power(up))
        wait_for_page(port, up)
        wait_for(lambda: made(instance, folders) == SUBJECTS)

        runs = instance.get_runs()
        ill = {run.run_id: why(instance, run) for run in runs if not run.is_success}
        assert ill.pop(lost_run) == INTERRUPTED.code and ill.pop(lost_with_worker) == WORKER_LOST
        # Lost too is what the worker that was killed had ready, and what was on its way through the broker; what the
        # database lost in the middle of a question may have been made all the same.
        counts = Counter(ill.values())
        assert counts[WORKER_LOST] < RUNS_HELD[Queue.GPU]
        assert counts.keys() <= {DATABASE_FAILED, INTERRUPTED.code, WORKER_LOST, STOPPED.code}
        by_database = (DATABASE_FAILED, INTERRUPTED.code)
        perhaps = {subject_of(run) for run in runs if ill.get(run.run_id) in by_database}
        good = [subject_of(run) for run in runs if run.is_success]
        assert len(set(good)) == len(good) and all(run.is_finished for run in runs)
        assert Counter(subject.stage for subject in perhaps.union(good) if subject is not None) == SUBJECTS
        for run in runs:
            subject = subject_of(run)
            draws = subject is not None and subject.stage is Stage.CLIP
            assert run.tags[QUEUE_TAG] == ("gpu" if draws else "cpu")
            # Without a worker: it was lost on its way to one.
            worker = run.tags.get(WORKER_TAG)
            assert not run.is_success if worker is None else worker.startswith("gpu-" if draws else "cpu-")
        assert instance.event_log_storage.get_concurrency_info("gpu").claimed_slots == []
        assert instance.get_run_ids(RunsFilter(statuses=[DagsterRunStatus.QUEUED])) == []
        assert list(folders.root.rglob(f"{TEMPORARY_PREFIX}*")) == []
        files = folders.files
        clips = [files.fetch(one.path) for one in files.below(folders.outputs) if one.path.suffix == ".mp4"]
        if isinstance(files, BucketFiles):
            assert cluster.bucket is not None
            keys = cluster.bucket.server.keys("cluster")
            # What it printed, whichever machine it ran on.
            assert all(
                any(key.startswith(f"logs/storage/{run.run_id}/") for key in keys) for run in runs if run.is_success
            )
            assert list(files.unknown_objects(folders.published)) == [] and files.end_uploads(time()) == 0
            assert files.below(folders.root / "store" / "generated_frames") == []
        assert [frames_of(clip) for clip in clips] == [VOICE_SECONDS * PRESENTER_RATE] * 4
        states = {worker.name: worker.state for worker in cluster.workers.all()}
        assert states[first] is WorkerState.READY and states[second] is WorkerState.LOST


def made(instance: dg.DagsterInstance, folders: DataFolders) -> Counter[Stage]:
    found = plan(instance, folders, settings())
    stages = {
        Stage.VOICE: found.voices,
        Stage.PRESENTER: found.presenters,
        Stage.CLIP: found.clips,
        Stage.DELIVERY: found.deliveries,
    }
    done = {stage: sum(s.state is State.DONE for s in statuses.values()) for stage, statuses in stages.items()}
    return Counter(done)
