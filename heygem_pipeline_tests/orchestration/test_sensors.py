"""The sensor that starts runs, and the schedules of campaigns, evaluated as the daemon does."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
import numpy as np
import pytest
from dagster import DagsterRunStatus
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.definitions import defs
from heygem_pipeline.orchestration.schedules import campaign_schedules, launch_campaign
from heygem_pipeline.orchestration.sensors import clips
from heygem_pipeline.planning.requests import ask_for, read_requests
from heygem_pipeline.planning.retry_and_cancel import cancel
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.history import INPUTS_TAG
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.conftest import write_wav
from heygem_pipeline_tests.house import CLIP, DELIVERY, PRESENTER, VOICE, House

JOBS = {"analyse_voice": VOICE, "track_presenter": PRESENTER, "make_clip": CLIP, "deliver": DELIVERY}
Started = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def everything_by_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch, automatic="clips")


def tick(house: House) -> tuple[Started, str | None]:
    """Evaluate the sensor, and record the runs it asks for as the daemon would."""
    with (
        dg.build_sensor_context(house.instance, definitions=defs) as context,
        partition_loading_context(dynamic_partitions_store=house.instance),
    ):
        result = clips.evaluate_tick(context)
    return record(house, result.run_requests or []), result.skip_message


def record(house: House, requests: Sequence[dg.RunRequest]) -> Started:
    started = []
    for request in requests:
        key = str(request.partition_key)
        assert request.job_name is not None
        house.run(JOBS[request.job_name], key, DagsterRunStatus.NOT_STARTED, {**request.tags, "dagster/partition": key})
        started.append((request.job_name, key))
    return started


def set_to(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"HEYGEM_{name.upper()}", value)
    settings.cache_clear()


def campaign(house: House, name: str = "autumn", voices: str = "one", schedule: str = "0 2 * * *") -> None:
    text = f'voices: {voices}\npresenters: "*"\n' + (f"schedule: {schedule}\n" if schedule else "")
    (house.folders.campaigns / f"{name}.yaml").write_text(text)


def end_all(house: House) -> None:
    for run in house.instance.get_runs(dg.RunsFilter(statuses=[DagsterRunStatus.NOT_STARTED])):
        house.instance.delete_run(run.run_id)


ANALYSES = {("analyse_voice", "one"), ("analyse_voice", "two"), ("track_presenter", "one"), ("track_presenter", "two")}
CLIPS = {("make_clip", f"{v}|{t}") for v in ("one", "two") for t in ("one", "two")}


def test_uploads_are_analysed_then_clips_made_and_nothing_is_started_twice(house: House) -> None:
    assert set(tick(house)[0]) == ANALYSES
    assert tick(house)[0] == []
    end_all(house)
    house.make_inputs()
    started, _ = tick(house)
    assert set(started) == CLIPS and len(started) == 4
    assert tick(house) == ([], "Everything that can be started is started. Clips: 4 queued.")
    end_all(house)
    for voice, presenter in (("one", "one"), ("one", "two"), ("two", "one"), ("two", "two")):
        house.make_clip(voice, presenter)
    assert tick(house)[0] == [("deliver", "one"), ("deliver", "two")]
    assert tick(house)[0] == []
    end_all(house)
    for voice in ("one", "two"):
        house.make_delivery(voice)
    assert tick(house) == ([], "Nothing is to be made. Clips: 4 done.")


def test_a_replaced_file_has_its_clips_made_again(house: House) -> None:
    house.make_inputs()
    house.make_clip("one", "one")
    tick(house)
    end_all(house)
    house.replace("one", "another")
    started = set(tick(house)[0])
    assert ("analyse_voice", "one") in started and ("make_clip", "one|one") not in started
    end_all(house)
    house.make_inputs()
    assert ("make_clip", "one|one") in tick(house)[0]


def test_the_queue_is_filled_up_and_no_further(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch, queue_length="3")
    house.make_inputs()
    assert len(tick(house)[0]) == 3
    started, why = tick(house)
    assert started == [] and why is not None and "3 runs wait already" in why
    house.instance.delete_run(house.instance.get_runs()[0].run_id)
    assert len(tick(house)[0]) == 1


@pytest.mark.parametrize(("automatic", "analyses"), [("off", set()), ("uploads", ANALYSES)])
def test_what_is_started_by_itself_is_a_setting(
    house: House, monkeypatch: pytest.MonkeyPatch, automatic: str, analyses: set[tuple[str, str]]
) -> None:
    set_to(monkeypatch, automatic=automatic)
    assert set(tick(house)[0]) == analyses
    end_all(house)
    house.make_inputs()
    started, why = tick(house)
    assert started == [] and why is not None and f"HEYGEM_AUTOMATIC={automatic}" in why


def test_what_was_asked_for_is_started_in_any_case_with_its_inputs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to(monkeypatch, automatic="off")
    ask_for(house.folders, ["two|one"])
    assert tick(house)[0] == [("analyse_voice", "two"), ("track_presenter", "one")]
    end_all(house)
    house.make_inputs()
    assert tick(house)[0] == [("make_clip", "two|one")]
    assert read_requests(house.folders).clips == ["two|one"]
    tick(house)
    assert read_requests(house.folders).clips == []


def test_a_failed_clip_is_started_once_only(house: House) -> None:
    house.make_inputs()
    tick(house)
    for run in house.instance.get_runs():
        house.instance.report_run_canceled(run)
    started, why = tick(house)
    assert started == [] and why == "Nothing is to be made. Clips: 4 failed."


def test_a_run_that_was_asked_for_while_its_clip_was_cancelled_is_stopped(house: House) -> None:
    house.make_inputs()
    cancel(house.instance, house.folders, house.plan(), [ClipKey("one", "one"), ClipKey("one", "two")])
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "all"), "make_clip")
    of_a_tick = house.run(CLIP, "one|one", DagsterRunStatus.QUEUED, {INPUTS_TAG: "its inputs"}, origin)
    of_the_page = house.run(CLIP, "one|two", DagsterRunStatus.QUEUED, origin=origin)
    tick(house)
    statuses = {run.run_id: run.status for run in house.instance.get_runs()}
    assert statuses[of_a_tick] is DagsterRunStatus.CANCELED and statuses[of_the_page] is DagsterRunStatus.QUEUED


def test_keys_dagster_does_not_know_yet_wait(house: House) -> None:
    house.instance.delete_dynamic_partition("audio", "one")
    assert set(tick(house)[0]) == ANALYSES - {("analyse_voice", "one")}


def test_a_campaign_with_a_schedule_waits_for_its_time(house: House) -> None:
    house.make_inputs()
    campaign(house)
    started, why = tick(house)
    assert started == [] and why is not None and "wait for its time" in why
    (schedule,) = campaign_schedules(house.folders, default_render_spec(settings()))
    with (
        dg.build_schedule_context(
            house.instance, datetime(2026, 11, 23, 2, tzinfo=UTC), repository_def=defs.get_repository_def()
        ) as context,
        partition_loading_context(dynamic_partitions_store=house.instance),
    ):
        result = schedule.evaluate_tick(context)
    assert result.run_requests is not None
    assert record(house, result.run_requests) == [("make_clip", "one|one"), ("make_clip", "one|two")]
    assert tick(house)[0] == []


def test_the_schedule_leaves_what_cannot_start_yet_to_the_sensor(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch, automatic="off")
    campaign(house)
    result = launch_campaign(house.instance, "autumn.yaml")
    assert isinstance(result, dg.SkipReason) and "the sensor clips starts it" in (result.skip_message or "")
    assert len(tick(house)[0]) == 3
    end_all(house)
    house.make_inputs()
    assert set(tick(house)[0]) == {("make_clip", "one|one"), ("make_clip", "one|two")}


def test_the_schedule_tries_failed_clips_again_and_bad_voices_too(house: House) -> None:
    house.make_inputs()
    campaign(house)
    write_wav(house.folders.voices / "two.wav", np.zeros(16000))
    campaign(house, "spring", "two")
    house.run(CLIP, "one|one", DagsterRunStatus.CANCELED)
    house.run(VOICE, "two", DagsterRunStatus.CANCELED)
    house.folders.voice("two").unlink()
    assert house.plan().counts == {State.FAILED: 3, State.READY: 1}
    for file in ("autumn.yaml", "spring.yaml"):
        result = launch_campaign(house.instance, file)
        record(house, result if isinstance(result, list) else [])
    assert set(tick(house)[0]) == {("analyse_voice", "two"), ("make_clip", "one|one")}


def test_a_schedule_with_nothing_to_do_says_why(house: House) -> None:
    house.make_inputs()
    campaign(house, voices="three")
    result = launch_campaign(house.instance, "autumn.yaml")
    assert isinstance(result, dg.SkipReason) and "wants no clip" in (result.skip_message or "")
    campaign(house)
    house.make_clip("one", "one")
    house.make_clip("one", "two")
    result = launch_campaign(house.instance, "autumn.yaml")
    assert isinstance(result, dg.SkipReason) and "There is nothing to start" in (result.skip_message or "")
    assert "2 done" in (result.skip_message or "")


def test_every_campaign_with_a_cron_line_has_its_schedule_whatever_it_is_called(house: House) -> None:
    for name in ("autumn", "秋季", "春季", "a b"):
        campaign(house, name)
    campaign(house, "by hand", schedule="")
    (house.folders.campaigns / "wrong.yaml").write_text("voices: *\n")
    names = [schedule.name for schedule in campaign_schedules(house.folders, default_render_spec(settings()))]
    assert len(set(names)) == 4 and "campaign_autumn" in names
