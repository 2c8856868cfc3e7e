"""Dagster's runs as whole tasks of Celery, each for one worker: named in dagster.yaml."""

from collections.abc import Mapping
from typing import Any, Self, cast

import dagster as dg
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from heygem_pipeline.errors import ClusterUnusable
from heygem_pipeline.runs.cluster_queues import AGREED, queue_of
from heygem_pipeline.runs.cluster_workers import Workers
from heygem_pipeline.runs.failure_reasons import STOPPED, reason_tag

AWAY = (OperationalError, RedisError, OSError)
"""What handing something to a broker raises that does not answer."""

TRIES = {"max_retries": 2, "interval_start": 0.2, "interval_step": 0.5, "interval_max": 1.0}


class WholeRunLauncher(CeleryRunLauncher):
    """Each run is one task. What becomes of it is seen by ``operations/cluster_watch.py``."""

    def __init__(self, database: str, **configured: Any) -> None:  # noqa: ANN401 - as Dagster has it
        super().__init__(**configured)
        self._workers = Workers(database)
        self.celery.conf.update(AGREED)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Dagster's, and where the workers are found."""
        return dict(cast("Mapping[str, Any]", super().config_type())) | {"database": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:  # noqa: ANN401
        """As Dagster has it."""
        return cls(inst_data=inst_data, **config_value)

    def _launch_celery_task_run(self, run: dg.DagsterRun, task_signature: Any, routing_key: str) -> None:  # noqa: ANN401
        queue = queue_of(run)
        try:
            worker = self._workers.assign(queue, run.run_id)
            if worker is None:
                raise ClusterUnusable("cluster.no_worker", queue=queue.value)
            result = task_signature.apply_async(queue=worker.address, retry=True, retry_policy=TRIES)
        except (*AWAY, ClusterUnusable):
            # Through no fault of its own: it is asked for again as often as needed.
            self._workers.finish(run.run_id)
            self._instance.add_run_tags(run.run_id, reason_tag(STOPPED))
            raise
        tags = {DAGSTER_CELERY_TASK_ID_TAG: result.task_id, DAGSTER_CELERY_QUEUE_TAG: worker.address}
        self._instance.add_run_tags(run.run_id, tags)
        self._instance.report_engine_event(f"Handed to the worker {worker.name}.", run, cls=type(self))

    def terminate(self, run_id: str) -> bool:
        """Have its worker stop it, which says itself that it was cancelled; where none is at it, say so here."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if not self._workers.tell_to_stop(run_id):
            self._workers.finish(run_id)
            self._instance.report_run_canceled(run)
        return True

    @property
    def supports_resume_run(self) -> bool:
        """A clip is begun anew."""
        return False

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Looked after elsewhere: Dagster asks only about runs that have started."""
        return False
