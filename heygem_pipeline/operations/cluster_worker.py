"""A worker of a cluster: one process that takes the whole runs it is handed, each in a child process of its own."""

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from secrets import token_hex
from socket import gethostname
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from dagster import DagsterRunStatus
from sqlalchemy.exc import SQLAlchemyError

from heygem_pipeline.devices import cards_of, draw_in_turns
from heygem_pipeline.errors import BucketUnreachable, ClusterUnusable
from heygem_pipeline.messages.message import Message
from heygem_pipeline.operations.cluster_heartbeat import Heartbeat, seconds_apart, wrong_time
from heygem_pipeline.operations.cluster_identity import Controller, announced, identity_of, pipeline_version
from heygem_pipeline.operations.worker_scratch import drop_what_is_gone
from heygem_pipeline.planning.machine_readiness import engine_of, tracker_of
from heygem_pipeline.runs.cluster_access import require_database, unreachable
from heygem_pipeline.runs.cluster_queues import AGREED, IN_A_WORKER, RUNS_HELD, WORKER_TAG, Queue
from heygem_pipeline.runs.cluster_workers import Worker, Workers, WorkerState
from heygem_pipeline.runs.dagster_internals import ExecuteRunArgs, unpack_value
from heygem_pipeline.runs.instance import dagster_environment, open_instance
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.atomic import WRITER
from heygem_pipeline.storage.paths import DataFolders

if TYPE_CHECKING:
    from celery import Celery

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1

SECONDS_OF_TRYING, SECONDS_BETWEEN_TRIES = 60.0, 1.0
"""So long, and so often, a worker tries to say something to a database that is away."""

GRAPH = "heygem_pipeline.definitions"
"""What workspace.yaml names."""


def examine(folders: DataFolders, chosen: Settings, queue: Queue, device: str | None) -> Worker:
    """A worker on this machine, unfit where something keeps it from work.

    Raises ClusterUnusable where there is no cluster to work for.
    """
    require_database(folders.database)
    # Before the first controller there is nothing to open, and two must not make it at once.
    controller = announced(folders)
    if controller is None:
        raise ClusterUnusable("cluster.no_controller")
    try:
        apart = seconds_apart(Workers(folders.database))
    except SQLAlchemyError as error:
        raise unreachable(error) from error
    own = pipeline_version()
    (engine, no_engine), (tracker, no_tracker) = engine_of(chosen.engine, chosen), tracker_of(chosen.tracker, chosen)
    lacks = no_engine if queue is Queue.GPU else no_tracker
    reason = wrong_time(apart)
    if own != controller.version:
        reason = Message("cluster.other_version", own=own, controller=controller.version)
    elif (other := _other_folder(folders, controller)) is not None:
        reason = other
    elif reason is None and lacks is not None:
        reason = Message("cluster.lacks", what=lacks)
    return Worker(
        # Another name at each start: to a new worker its predecessor's runs are unknown.
        f"{queue.value}-{device or 'any'}-{token_hex(3)}@{gethostname()}",
        queue,
        gethostname(),
        device or "",
        own,
        cards=", ".join(cards_of(device)),
        engine=engine,
        tracker=tracker,
        seconds_apart=apart,
        state=WorkerState.STARTING if reason is None else WorkerState.UNFIT,
        reason=reason,
    )


def _other_folder(folders: DataFolders, controller: Controller) -> Message | None:
    """Why this machine does not see what the others see; None where it does."""
    try:
        if identity_of(folders) == controller.folder:
            return None
    except BucketUnreachable as error:
        return error.message
    if folders.bucket:
        return Message("cluster.other_bucket", bucket=folders.bucket)
    return Message("cluster.other_folder", folder=str(folders.root))


def work(folders: DataFolders, chosen: Settings, queue: Queue, device: str | None) -> Message | None:
    """Take runs until SIGTERM, which lets those under way end; not one where this machine must not.

    Args:
        device: numbers of graphics cards as CUDA_VISIBLE_DEVICES has them; None leaves what the environment says.

    Returns why this machine must take no work, of which the controller hears too; None where somebody ended it.
    Raises ClusterUnusable where there is no cluster to work for.
    """
    if not (folders.database and folders.broker):
        raise ClusterUnusable("cluster.no_database")
    os.environ.update(dagster_environment(folders) | {IN_A_WORKER: "1"})
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    # Whoever has used a graphics card cannot hand it on to the runs' processes, which are forked too.
    with ProcessPoolExecutor(1, get_context("fork")) as apart:
        worker = apart.submit(examine, folders, chosen, queue, device).result()
    workers = Workers(folders.database)
    workers.enter(worker)
    if worker.reason is not None:
        return worker.reason
    draw_in_turns(device)
    # As Dagster does it, but once, and not in the process of every run.
    import_module(GRAPH)
    ended = _Ended()
    heartbeat = Heartbeat(workers, worker.name, ended.lost, ended.unfit, partial(drop_what_is_gone, folders))
    heartbeat.start()
    try:
        _take_runs(worker, folders, workers)
    finally:
        heartbeat.stop()
        with suppress(SQLAlchemyError):
            if ended.why is None:
                workers.leave(worker.name)
            else:
                workers.mark(worker.name, WorkerState.UNFIT, ended.why)
    return ended.why


@dataclass
class _Ended:
    """Why a worker ends that nobody stopped."""

    why: Message | None = None

    def unfit(self, why: Message) -> None:
        """Let the runs under way end, and take no other."""
        self.why = why
        os.kill(os.getpid(), signal.SIGTERM)

    def lost(self) -> None:
        """End at once: its runs are made elsewhere by now."""
        import psutil

        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        logger.error("%s", Message("cluster.taken_for_dead"))
        os._exit(1)


def _take_runs(worker: Worker, folders: DataFolders, workers: Workers) -> None:
    from celery import Celery, signals
    from dagster_celery.tasks import create_execute_job_task

    app = Celery("dagster", broker=folders.broker)
    app.conf.update(AGREED)
    create_execute_job_task(app)
    run_signals = _RunSignals(worker.name, folders, workers)
    signals.worker_process_init.connect(_become_run, weak=False)
    signals.task_prerun.connect(run_signals.begin, weak=False)
    signals.task_postrun.connect(run_signals.end, weak=False)
    signals.worker_ready.connect(run_signals.ready, weak=False)
    signals.worker_shutting_down.connect(run_signals.leaving, weak=False)
    app.worker_main(_arguments(app, worker))


def _arguments(app: "Celery", worker: Worker) -> list[str]:
    at_once = f"--concurrency={RUNS_HELD[worker.queue]}"
    forked = ["--pool=prefork", at_once, "--max-tasks-per-child=1", "--without-gossip", "--without-mingle"]
    return ["worker", *forked, "--loglevel=WARNING", f"--queues={worker.address}", f"--hostname={worker.name}"]


@dataclass(frozen=True)
class _RunSignals:
    """What a worker tells of itself as its runs come and go."""

    name: str
    folders: DataFolders
    workers: Workers

    def ready(self, **_: object) -> None:
        _say_or_end(lambda: self.workers.mark(self.name, WorkerState.READY))

    def leaving(self, **_: object) -> None:
        self.workers.mark(self.name, WorkerState.LEAVING)

    def begin(self, kwargs: Any = None, **_: object) -> None:  # noqa: ANN401 - as Celery has it
        """In a run's process."""
        run_id = _run_of(kwargs)
        _say_or_end(lambda: self._begin(run_id))
        os.environ[WRITER] = run_id

    def _begin(self, run_id: str) -> None:
        if not self.workers.take(self.name, run_id, os.getpid()):
            os._exit(1)
        with open_instance(self.folders) as instance:
            run = instance.get_run_by_id(run_id)
            # A broker that was restarted may hand a run out twice; Dagster begins it once.
            if run is not None and run.status in (DagsterRunStatus.STARTING, DagsterRunStatus.NOT_STARTED):
                instance.add_run_tags(run_id, {WORKER_TAG: self.name})

    def end(self, kwargs: Any = None, **_: object) -> None:  # noqa: ANN401
        self.workers.finish(_run_of(kwargs))


def _say_or_end(say: Callable[[], None]) -> None:
    """Say what the controller must know, to a database that may be away for a while; without that this process ends.

    Celery would go on whatever its signals raise: a run that nobody is known to be at is made once more beside itself.
    """
    deadline = monotonic() + SECONDS_OF_TRYING
    while True:
        try:
            say()
            return
        except Exception as error:
            logger.warning("The database does not answer: %s", error)
            if monotonic() > deadline:
                os._exit(1)
            sleep(SECONDS_BETWEEN_TRIES)


def _run_of(kwargs: Any) -> str:  # noqa: ANN401
    return unpack_value(kwargs["execute_job_args_packed"], as_type=ExecuteRunArgs).run_id


def _become_run(**_: object) -> None:
    """In a child: end with the worker, and be told to stop as Dagster's runs are."""
    # Ctrl-C in a terminal is for the worker, which lets its run end.
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
