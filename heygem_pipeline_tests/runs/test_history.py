"""How long clips took, for estimates."""

from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus

from heygem_pipeline.runs.history import spans_of_latest
from heygem_pipeline_tests.house import CLIP, VOICE, House


def finish(house: House, assets: list[str], key: str) -> None:
    """Record a run that nobody but a person or a command started, from its beginning to its end."""
    run = house.instance.get_run_by_id(house.run(assets, key, DagsterRunStatus.NOT_STARTED))
    assert run is not None
    for event in (DagsterEventType.RUN_START, DagsterEventType.RUN_SUCCESS):
        house.instance.report_dagster_event(DagsterEvent(event.value, run.job_name), run.run_id)


def test_clips_count_whoever_had_them_made_and_nothing_else_does(house: House) -> None:
    finish(house, CLIP, "one|one")
    finish(house, VOICE, "one")
    finish(house, CLIP, "one|two")
    house.run(CLIP, "two|one", DagsterRunStatus.FAILURE)
    assert list(spans_of_latest(house.instance, 20)) == ["one|two", "one|one"]
    assert list(spans_of_latest(house.instance, 1)) == ["one|two"]
    assert all(0 <= end - start < 60 for start, end in spans_of_latest(house.instance, 20).values())
