"""Dagster's queue of runs in a cluster: as many go out as there are workers for them. Named in dagster.yaml."""

import logging
from collections.abc import Mapping
from typing import Any, Self, cast

import dagster as dg

from heygem_pipeline.errors import ClusterUnusable
from heygem_pipeline.runs.cluster_access import require_broker
from heygem_pipeline.runs.cluster_queues import QUEUE_TAG, Queue, queue_of
from heygem_pipeline.runs.cluster_workers import Workers
from heygem_pipeline.runs.dagster_internals import QueuedRunCoordinator, RunQueueConfig, SubmitRunContext

UNLIMITED, NONE = -1, 0


class WorkersRunCoordinator(QueuedRunCoordinator):
    """A run waits in Dagster's queue until a worker of its kind is free; one that waits holds up no other kind.

    Workers come and go while the controller runs, so the limits are asked for with every look at the queue.
    """

    def __init__(self, database: str, broker: str, **configured: Any) -> None:  # noqa: ANN401 - as Dagster has it
        super().__init__(**configured)
        self._workers = Workers(database)
        self._broker = broker

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Dagster's, and where workers and broker are found."""
        return dict(cast("Mapping[str, Any]", super().config_type())) | {
            "database": dg.StringSource,
            "broker": dg.StringSource,
        }

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:  # noqa: ANN401
        """As Dagster has it."""
        return cls(inst_data=inst_data, **config_value)

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Note which workers are for it, then as Dagster."""
        run = context.dagster_run
        self._instance.add_run_tags(run.run_id, {QUEUE_TAG: queue_of(run).value})
        return super().submit_run(context)

    def get_run_queue_config(self) -> RunQueueConfig:
        """Dagster's limits, and as many runs of each queue as it has workers."""
        configured = super().get_run_queue_config()
        places = self._workers.places()
        limits = [{"key": QUEUE_TAG, "value": queue.value, "limit": places[queue]} for queue in Queue]
        return configured._replace(
            max_concurrent_runs=UNLIMITED if any(places.values()) and self._broker_answers() else NONE,
            tag_concurrency_limits=[*configured.tag_concurrency_limits, *limits],
            # Workers and not slots say whether a run can begin.
            should_block_op_concurrency_limited_runs=False,
        )

    def _broker_answers(self) -> bool:
        """A run that is handed to a broker which is away would fail."""
        try:
            require_broker(self._broker)
        except ClusterUnusable as error:
            logging.getLogger(__name__).warning("%s", error)
            return False
        return True
