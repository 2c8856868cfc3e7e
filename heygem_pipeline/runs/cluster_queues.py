"""How a cluster's runs travel to its workers: what kinds there are, and what both ends of Celery agree on."""

from enum import StrEnum

import dagster as dg

from heygem_pipeline.runs.stages import PREVIEW_JOB, Stage, subject_of

WORKER_TAG = "heygem/worker"
"""Of a run: the worker that it runs on."""

QUEUE_TAG = "heygem/queue"
"""Of a run: the queue that it waits for, so that Dagster's own queue passes over those for which no worker is free."""

IN_A_WORKER = "HEYGEM_WORKER"
"""Set in the environment of a worker and its runs: a controller on the same machine lets them be."""

AGREED = {
    # A run is handed out once, when a worker is free; which run is next is decided by Dagster's queue. What is lost on
    # the way, or with a worker, is noticed by the controller: Dagster's records know more than Celery's.
    "task_acks_late": False,
    "task_ignore_result": True,
    "result_backend": "disabled://",
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_redirect_stdouts": False,
    "task_default_priority": None,
    "task_queue_max_priority": None,
    "task_queues": None,
    "task_routes": None,
}
"""Settings of Celery."""


class Queue(StrEnum):
    """What a worker is for."""

    GPU = "gpu"
    CPU = "cpu"


def queue_of(run: dg.DagsterRun) -> Queue:
    """Drawing goes to a GPU, everything else to a processor; backfills' runs have no tags of their job."""
    subject = subject_of(run)
    draws = run.job_name == PREVIEW_JOB or (subject is not None and subject.stage is Stage.CLIP)
    return Queue.GPU if draws else Queue.CPU


RUNS_HELD = {Queue.GPU: 2, Queue.CPU: 1}
"""By a worker at once: while one draws, the next gets ready and the last one's clip is encoded."""
