"""What a step that fails does next."""

import dagster as dg
import pytest

from heygem_pipeline.assets import step_retries
from heygem_pipeline.assets.step_retries import fail_or_retry
from heygem_pipeline.errors import BadInput


def statuses_and_starts(asset: dg.AssetsDefinition) -> tuple[dg.DagsterRunStatus, int]:
    """How a run of the asset ends, and how often its step is begun."""
    with dg.instance_for_test() as instance:
        job = dg.Definitions(assets=[asset], executor=dg.in_process_executor).resolve_implicit_global_asset_job_def()
        ended = job.execute_in_process(instance=instance, raise_on_error=False)
        run = instance.get_run_by_id(ended.run_id)
        assert run is not None
        records = instance.all_logs(ended.run_id)
        starts = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_RESTARTED}
        return run.status, sum(record.dagster_event_type in starts for record in records)


def test_what_may_pass_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_retries, "SECONDS_BEFORE_RETRY", 0)

    @dg.asset
    def unlucky() -> None:
        with fail_or_retry():
            raise ImportError

    assert statuses_and_starts(unlucky) == (dg.DagsterRunStatus.FAILURE, 2)


def test_a_file_that_cannot_be_used_is_not_tried_again() -> None:
    @dg.asset
    def bad() -> None:
        with fail_or_retry():
            raise BadInput("file.empty", file="voice.wav")

    assert statuses_and_starts(bad) == (dg.DagsterRunStatus.FAILURE, 1)


def test_a_step_that_was_cancelled_is_not_tried_again_whatever_it_says() -> None:
    @dg.asset
    def cancelled(context: dg.AssetExecutionContext) -> None:
        with fail_or_retry():
            context.instance.report_run_canceling(context.run)
            raise ImportError("an import that was broken off")

    assert statuses_and_starts(cancelled) == (dg.DagsterRunStatus.CANCELED, 1)
