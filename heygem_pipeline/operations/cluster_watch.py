"""What a cluster's controller looks after: workers that fall silent, and runs that nobody is at any more.

A process of its own beside Dagster's daemon, ``cli/cluster_watch.py``: a sensor waits for other sensors, and Dagster's
own check of runs asks only about those that have started.
"""

import logging
from collections.abc import Callable, Container
from dataclasses import dataclass
from time import monotonic, sleep

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.requests import ask_for
from heygem_pipeline.runs.cluster_queues import QUEUE_TAG, RUNS_HELD, Queue
from heygem_pipeline.runs.cluster_workers import HeldRun, Worker, Workers, WorkerState
from heygem_pipeline.runs.dagster_internals import MAX_RETRIES_TAG
from heygem_pipeline.runs.failure_reasons import INTERRUPTED, STOPPED, WORKER_LOST, reason_tag
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.log_file import note
from heygem_pipeline.runs.stages import Stage, Subject, subject_of
from heygem_pipeline.settings import Automatic, Settings
from heygem_pipeline.storage.atomic import temporary_prefix
from heygem_pipeline.storage.paths import DataFolders

SECONDS_BETWEEN_LOOKS = 3.0

SILENT_SECONDS, SILENT_LOOKS = 15.0, 3
"""So long, and at so many looks in a row, nothing was heard of a worker that is dead: after an interruption of the
database nobody has said anything for long."""

ODD_SECONDS, ODD_LOOKS = 3.0, 2
"""So long a run and its worker may disagree: they say what they do one after the other."""

UNDELIVERED_SECONDS, UNDELIVERED_LOOKS = 30.0, 3
"""So long a run may be on its way to the worker that it was handed to."""

POOL = "gpu"

ALIVE = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


@dataclass
class _Observation:
    """Since when something has been as it is."""

    what: object
    at: float
    looks: int = 0


class _Unchanged:
    """How long, and for how many looks, things have been as they are."""

    def __init__(self, seconds: float, looks: int) -> None:
        self._seconds = seconds
        self._looks = looks
        self._known: dict[str, _Observation] = {}

    def too_long(self, name: str, what: object, now: float) -> bool:
        """Has it been so for longer than is allowed?"""
        since = self._known.get(name)
        if since is None or since.what != what:
            self._known[name] = _Observation(what, now)
            return False
        since.looks += 1
        return since.looks >= self._looks and now - since.at >= self._seconds

    def forget(self, name: str) -> None:
        """All is well with it."""
        self._known.pop(name, None)

    def keep(self, names: Container[str]) -> None:
        """Forget all others: they are over."""
        self._known = {name: since for name, since in self._known.items() if name in names}


ENDED_ILL, ENDED_BEFORE = (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED), 100
"""Of so many runs that ended ill before the first look, it is seen whether they left anything."""


class ClusterWatch:
    """Looks again and again; what it remembers between two looks is of use to nobody else.

    Args:
        clock: seconds; no clock that somebody may set.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._silent = _Unchanged(SILENT_SECONDS, SILENT_LOOKS)
        self._odd = _Unchanged(ODD_SECONDS, ODD_LOOKS)
        self._undelivered = _Unchanged(UNDELIVERED_SECONDS, UNDELIVERED_LOOKS)
        self._slots: int | None = None
        self._under_way: set[str] | None = None

    def look(self, instance: dg.DagsterInstance, folders: DataFolders, chosen: Settings) -> None:
        """Set right what can be."""
        workers, now = Workers(folders.database), self._clock()
        self._mark_lost(workers, folders, now)
        known = {worker.name: worker for worker in workers.all()}
        given = workers.held()
        runs = {run.run_id: run for run in instance.get_runs(RunsFilter(statuses=ALIVE))}
        for remembered, there in ((self._silent, known), (self._odd, runs), (self._undelivered, runs)):
            remembered.keep(there)
        self._clean_up(instance, folders, runs)
        for run in runs.values():
            # Whoever works on the controller itself, such as the demo, belongs to no queue.
            if QUEUE_TAG in run.tags:
                held = given.get(run.run_id)
                worker = known.get(held.worker) if held is not None else None
                if (reason := self._what_is_wrong(run, held, worker, now)) is not None:
                    _end(instance, folders, chosen, run, reason)
        for held in given.values():
            # Its worker died between the run's end and saying so.
            if held.run_id not in runs and (held.worker not in known or not known[held.worker].is_there):
                workers.finish(held.run_id)
        self._match_pool(instance, known)

    def _clean_up(self, instance: dg.DagsterInstance, folders: DataFolders, runs: dict[str, dg.DagsterRun]) -> None:
        """What others ended, such as Dagster's own watch, or a controller that ended too before it had cleaned up."""
        if self._under_way is None:
            ended = set(instance.get_run_ids(RunsFilter(statuses=ENDED_ILL), limit=ENDED_BEFORE))
        else:
            ended = self._under_way - runs.keys()
        for run_id in ended:
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_success:
                remove_what_was_left(folders, run_id, subject_of(run))
        self._under_way = set(runs)

    def _mark_lost(self, workers: Workers, folders: DataFolders, now: float) -> None:
        for worker in workers.all():
            if worker.is_there and self._silent.too_long(worker.name, worker.beats, now):
                reason = Message(WORKER_LOST, worker=worker.name)
                workers.mark(worker.name, WorkerState.LOST, reason)
                note(folders, str(reason), "workers", level=logging.ERROR)

    def _what_is_wrong(
        self, run: dg.DagsterRun, held: HeldRun | None, worker: Worker | None, now: float
    ) -> Message | None:
        """Why nobody will end this run; None where somebody is at it, or may be.

        Args:
            held: by which worker, None where none is at it any more.
            worker: that one, None where it has left.
        """
        if held is not None and worker is not None and worker.is_there:
            self._odd.forget(run.run_id)
            late = held.process is None and self._undelivered.too_long(run.run_id, run.status, now)
            return STOPPED if late else None
        if held is not None and held.process is None:
            return STOPPED
        if worker is not None and worker.state is WorkerState.LOST:
            return Message(WORKER_LOST, worker=worker.name)
        return INTERRUPTED if self._odd.too_long(run.run_id, run.status, now) else None

    def _match_pool(self, instance: dg.DagsterInstance, known: dict[str, Worker]) -> None:
        """As many slots as runs that draw, or wait for their worker's card; what a lost one held is free by now."""
        slots = RUNS_HELD[Queue.GPU] * sum(w.is_there and w.queue is Queue.GPU for w in known.values())
        if slots and slots != self._slots:
            instance.event_log_storage.set_concurrency_slots(POOL, slots)
            self._slots = slots


def _end(
    instance: dg.DagsterInstance, folders: DataFolders, chosen: Settings, run: dg.DagsterRun, reason: Message
) -> None:
    current = instance.get_run_by_id(run.run_id)
    if current is None or current.status is not run.status:
        return
    subject = subject_of(run)
    if run.status is DagsterRunStatus.CANCELING:
        instance.report_run_canceled(current)
    else:
        # The reason first: a planner at work beside this would take a failed run without one for killed. Dagster's own
        # retry would copy it to the new run; the planner asks again for what is wanted.
        instance.add_run_tags(run.run_id, reason_tag(reason) | {MAX_RETRIES_TAG: "0"})
        instance.report_run_failed(current, str(reason))
        if subject is not None and subject.stage is Stage.CLIP and chosen.automatic is not Automatic.CLIPS:
            ask_for(folders, [subject.key])
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    Workers(folders.database).finish(run.run_id)
    remove_what_was_left(folders, run.run_id, subject)
    if reason != INTERRUPTED:
        # That is noted by the sensor killed_runs, of whatever run.
        note(folders, str(reason), "workers", run, logging.ERROR)


def remove_what_was_left(folders: DataFolders, run_id: str, subject: Subject | None) -> None:
    """Delete what a run that ended was writing, and how far it said it was."""
    folders.progress(run_id).remove()
    names = {subject.clip.voice if subject.stage is Stage.CLIP else subject.key} if subject is not None else set()
    stores = [folders.outputs, *(folders.root / "store").glob("*/")]
    places = [*stores, *(store / name for store in stores for name in names), folders.state / "progress"]
    for place in places:
        for left in place.glob(f"{temporary_prefix(run_id)}*"):
            left.unlink(missing_ok=True)


def watch(folders: DataFolders, chosen: Settings) -> None:
    """Look until this process is ended, whatever is away meanwhile."""
    watching = ClusterWatch()
    while True:
        try:
            with open_instance(folders) as instance:
                while True:
                    watching.look(instance, folders, chosen)
                    sleep(SECONDS_BETWEEN_LOOKS)
        except Exception:
            logging.getLogger(__name__).exception("This look at the workers failed; the next follows.")
            sleep(SECONDS_BETWEEN_LOOKS)
