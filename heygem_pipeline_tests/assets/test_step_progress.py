"""A step tells how far it is, in a file and in the log, and tells no more when it has ended."""

import dagster as dg
import pytest

from heygem_pipeline.assets import step_progress
from heygem_pipeline.assets.step_progress import NoDisplay, StepProgress
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.progress import Progress, progress_files, read_progress
from heygem_pipeline.storage.paths import DataFolders


@pytest.mark.parametrize("fails", [False, True])
def test_a_step_tells_until_it_ends_whatever_way(
    data: DataFolders, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    monkeypatch.setattr(step_progress, "SECONDS_BETWEEN_LINES", 0.0)
    seen: list[Progress | None] = []

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["one"]))
    def face_tracks(context: dg.AssetExecutionContext) -> None:
        with StepProgress(context, NoDisplay(), 90) as told:
            seen.append(read_progress(data, context.run.run_id))
            told(30)
            seen.append(read_progress(data, context.run.run_id))
            if fails:
                raise ZeroDivisionError

    with open_instance(data) as instance:
        ended = dg.materialize([face_tracks], instance=instance, partition_key="one", raise_on_error=False)
        lines = [record.user_message for record in instance.all_logs(ended.run_id)]
    assert ended.success is not fails
    assert [(told.step, told.done, told.total) for told in seen if told] == [
        ("face_tracks", 0, 90),
        ("face_tracks", 30, 90),
    ]
    assert str(seen[1]) in lines
    assert progress_files(data) == []


def test_a_step_stops_that_was_told_to_and_never_heard_it(data: DataFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_progress, "SECONDS_BETWEEN_LINES", 0.0)
    after: list[int] = []

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["one"]))
    def face_tracks(context: dg.AssetExecutionContext) -> None:
        with StepProgress(context, NoDisplay(), 90) as told:
            context.instance.report_run_canceling(context.run)
            told(30)
            after.append(30)

    with open_instance(data) as instance:
        ended = dg.materialize([face_tracks], instance=instance, partition_key="one", raise_on_error=False)
        run = instance.get_run_by_id(ended.run_id)
    assert run is not None and run.status is dg.DagsterRunStatus.CANCELED
    assert after == []
