"""Materializing one partition in this process, against the real instance."""

from collections.abc import Iterator, Sequence

import dagster as dg

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.assets.progress import ProgressDisplay
from heygem_pipeline.assets.specifications import SpecificationSource

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""The terminal belongs to whoever called; the log lines are in the page all the same."""


class Materializer:
    """Runs parts of the graph here and now, one partition a run; the pools of the instance are in force."""

    def __init__(
        self, instance: dg.DagsterInstance, display: ProgressDisplay, specifications: SpecificationSource
    ) -> None:
        self._instance = instance
        self._job = graph_definitions(display, specifications).resolve_implicit_global_asset_job_def()

    def run(self, assets: Sequence[str], partition: str) -> str | None:
        """Materialize the assets for one partition; return None, or the sentence of what failed."""
        result = self._job.execute_in_process(
            run_config=QUIET,
            instance=self._instance,
            asset_selection=[dg.AssetKey(name) for name in assets],
            partition_key=partition,
            raise_on_error=False,
        )
        if result.success:
            return None
        return next(_sentences(result), f"run {result.run_id} failed; see it in the page")


def _sentences(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for event in result.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        if data.user_failure_data is not None and data.user_failure_data.description:
            yield data.user_failure_data.description
        elif data.error is not None:
            yield data.error.message.strip().splitlines()[-1]
