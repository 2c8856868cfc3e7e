"""Where voices, presenters and clips stand, told by files, events, runs and backfills of a real instance."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from time import sleep
from uuid import uuid4

import dagster as dg
import numpy as np
import pytest
from dagster import DagsterRunStatus
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.checkpoints.catalogue import owner_called
from heygem_pipeline.messages.message import Message
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.operations.recovery import fail_abandoned_runs
from heygem_pipeline.planning import failed_attempts, planner
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.requests import forgive
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs import history
from heygem_pipeline.runs.failure_reasons import CANCELLED, SLOW_START, reason_in, reason_tag
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.runs.progress import Progress, write_progress
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.conftest import write_wav
from heygem_pipeline_tests.house import CLIP, VOICE, House

NO = Message("face.not_found", file="one.mp4")


def stands(found: Plan) -> set[tuple[str, ...]]:
    return {(clip.voice, clip.presenter, status.state.value) for clip, status in found.clips.items()}


def test_before_anything_is_made_clips_wait_for_their_inputs(house: House) -> None:
    found = house.plan()
    assert {status.state for status in [*found.voices.values(), *found.presenters.values()]} == {State.READY}
    assert found.counts == {State.WAITING: 4}


def test_a_clip_is_ready_when_both_inputs_are_done_and_done_when_it_is_made_of_them(house: House) -> None:
    house.make_inputs()
    assert house.plan().counts == {State.READY: 4}
    house.make_clip()
    assert house.plan().counts == {State.READY: 3, State.DONE: 1}
    house.folders.clip(ClipKey("one", "one")).unlink()
    assert house.clip().state is State.READY


def test_a_replaced_voice_is_stale_then_its_clips_and_no_other(house: House) -> None:
    house.make_inputs()
    for presenter in ("one", "two"):
        house.make_clip("one", presenter)
        house.make_clip("two", presenter)
    house.replace("one", "another")
    found = house.plan()
    assert found.voices["one"].state is State.STALE and found.voices["two"].state is State.DONE
    assert stands(found) == {
        (v, t, "waiting" if v == "one" else "done") for v in ("one", "two") for t in ("one", "two")
    }
    house.make_inputs()
    assert stands(house.plan()) == {
        (v, t, "stale" if v == "one" else "done") for v in ("one", "two") for t in ("one", "two")
    }


def test_voices_that_were_analysed_by_another_version_are_stale(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    house.make_clip()
    monkeypatch.setattr(planner, "ANALYSIS_VERSION", f"{planner.ANALYSIS_VERSION} and more")
    found = house.plan()
    assert {status.state for status in found.voices.values()} == {State.STALE}
    assert found.counts == {State.WAITING: 3, State.DONE: 1}


def test_other_marks_make_clips_stale(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    house.make_clip()
    monkeypatch.setenv("HEYGEM_LABEL", "always")
    settings.cache_clear()
    assert house.clip().state is State.STALE


def test_a_sidecar_that_chooses_another_tracker_makes_its_presenter_and_its_clips_stale(house: House) -> None:
    house.make_inputs()
    for presenter in ("one", "two"):
        house.make_clip("one", presenter)
    sidecar = house.folders.presenters / "two.yaml"
    sidecar.write_text("tracker: face_alignment")
    found = house.plan()
    assert (found.presenters["one"].state, found.presenters["two"].state) == (State.DONE, State.STALE)
    assert (found.clips[ClipKey("one", "one")].state, found.clips[ClipKey("one", "two")].state) == (
        State.DONE,
        State.WAITING,
    )
    sidecar.write_text("tracker: mesh")
    assert house.plan().counts == {State.DONE: 2, State.READY: 2}


@pytest.mark.parametrize("kind", ["audio", "templates"])
def test_a_part_of_an_upload_makes_it_and_its_clips_stale_and_no_other(house: House, kind: str) -> None:
    house.make_inputs()
    for clip in (("one", "one"), ("one", "two"), ("two", "one"), ("two", "two")):
        house.make_clip(*clip)
    assert house.plan().counts == {State.DONE: 4}
    sidecar = house.folders.root / kind / "two.yaml"
    sidecar.write_text("start: 1.5\n")
    found = house.plan()
    theirs = found.voices if kind == "audio" else found.presenters
    assert (theirs["one"].state, theirs["two"].state) == (State.DONE, State.STALE)
    assert found.counts == {State.DONE: 2, State.WAITING: 2}
    before = {found.inputs_digest(Subject(Stage.VOICE, "two")), found.inputs_digest(Subject(Stage.PRESENTER, "two"))}
    sidecar.unlink()
    now = house.plan()
    assert now.counts == {State.DONE: 4}
    again = {now.inputs_digest(Subject(Stage.VOICE, "two")), now.inputs_digest(Subject(Stage.PRESENTER, "two"))}
    assert len(before & again) == 1


def test_what_stands_beside_a_voice_and_cannot_be_understood_fails_it_alone(house: House, material: Path) -> None:
    shutil.copy(material / "voice.wav", house.folders.voices / "two.wav")
    house.take_in()
    sidecar = house.folders.voices / "two.yaml"
    sidecar.write_text("start: later")
    materializer = Materializer(house.instance, NoDisplay(), CampaignSpecifications(house.folders, settings()))
    materializer.run(["audio_features"], "two")
    found = house.plan()
    assert found.voices["one"].state is State.READY
    assert found.voices["two"].state is State.FAILED and "two.yaml" in str(found.voices["two"].reason)
    sidecar.write_text("start: 0.1")
    assert house.plan().voices["two"].state is State.READY
    materializer.run(["audio_features"], "two")
    assert house.plan().voices["two"].state is State.DONE


def test_a_wrong_sidecar_fails_its_presenter_alone_until_it_is_put_right(house: House, material: Path) -> None:
    shutil.copy(material / "presenter.mp4", house.folders.presenters / "two.mp4")
    house.take_in()
    sidecar = house.folders.presenters / "two.yaml"
    sidecar.write_text("tracker: magic")
    assert {status.state for status in house.plan().presenters.values()} == {State.READY}
    materializer = Materializer(house.instance, NoDisplay(), CampaignSpecifications(house.folders, settings()))
    materializer.run(["face_tracks"], "two")
    found = house.plan()
    assert found.presenters["one"].state is State.READY
    assert found.presenters["two"].state is State.FAILED and "two.yaml" in str(found.presenters["two"].reason)
    sidecar.write_text("tracker: mesh")
    assert house.plan().presenters["two"].state is State.READY


def test_a_presenter_refused_for_a_turned_head_is_made_when_its_sidecar_says_anyway(
    house: House, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEYGEM_MAX_YAW_DEGREES", "0.01")
    settings.cache_clear()
    shutil.copy(material / "presenter.mp4", house.folders.presenters / "two.mp4")
    house.take_in()
    materializer = Materializer(house.instance, NoDisplay(), CampaignSpecifications(house.folders, settings()))
    materializer.run(["face_tracks"], "two")
    refused = house.plan().presenters["two"]
    assert refused.state is State.FAILED and "two.yaml" in str(refused.reason)
    (house.folders.presenters / "two.yaml").write_text("make_anyway: true")
    assert house.plan().presenters["two"].state is State.READY
    materializer.run(["face_tracks"], "two")
    assert house.plan().presenters["two"].state is State.DONE


def test_a_deleted_store_leaves_finished_clips_done(house: House) -> None:
    house.make_inputs()
    house.make_clip()
    house.folders.voice("one").unlink()
    found = house.plan()
    assert found.voices["one"].state is State.READY
    assert (found.clips[ClipKey("one", "one")].state, found.clips[ClipKey("one", "two")].state) == (
        State.DONE,
        State.WAITING,
    )


def test_only_wanted_clips_are_planned(house: House) -> None:
    (house.folders.campaigns / "a.yaml").write_text("voices: one.wav\npresenters: two\n")
    assert list(house.plan().clips) == [ClipKey("one", "two")]


def test_runs_under_way_are_told_with_what_they_have_done(house: House) -> None:
    house.make_inputs()
    house.run(CLIP, "one|one", DagsterRunStatus.NOT_STARTED)
    run_id = house.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    house.run(VOICE, "two", DagsterRunStatus.STARTED)
    assert house.clip("one", "two").share is None
    write_progress(house.folders, run_id, Progress("generated_frames", 30, 120, 0.0, 1.0))
    found = house.plan()
    assert found.clips[ClipKey("one", "one")].state is State.QUEUED
    assert (found.clips[ClipKey("one", "two")].state, found.clips[ClipKey("one", "two")].share) == (
        State.RUNNING,
        0.125,
    )
    assert found.voices["two"].state is State.RUNNING
    assert found.clips[ClipKey("two", "one")].state is State.WAITING


def test_a_backfill_that_has_not_asked_for_its_runs_yet_counts_as_queued(house: House) -> None:
    house.make_inputs()
    graph = graph_definitions().resolve_asset_graph()
    backfill = PartitionBackfill.from_asset_partitions(
        "a_backfill",
        asset_graph=graph,
        partition_names=[
            str(multi_partition_key(ClipKey("one", "one"))),
            str(multi_partition_key(ClipKey("one", "two"))),
        ],
        asset_selection=list(map(dg.AssetKey, CLIP)),
        backfill_timestamp=0.0,
        tags={},
        dynamic_partitions_store=house.instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    house.instance.add_backfill(backfill)
    assert house.plan().counts == {State.QUEUED: 2, State.READY: 2}
    house.instance.update_backfill(backfill.with_status(BulkActionStatus.CANCELED))
    assert house.plan().counts == {State.READY: 4}


def test_a_bad_voice_fails_its_clips_with_its_sentence_until_it_is_replaced(house: House) -> None:
    house.make_inputs()
    write_wav(house.folders.voices / "one.wav", np.zeros(16000))
    take_in_uploads(house.instance, house.folders)
    sleep(0.01)
    materializer = Materializer(house.instance, NoDisplay(), CampaignSpecifications(house.folders, settings()))
    sentence = materializer.run(VOICE, "one")
    assert sentence is not None and "one.wav" in sentence
    for found in (house.plan(), house.plan()):
        assert (found.voices["one"].state, str(found.voices["one"].reason)) == (State.FAILED, sentence)
        assert {str(found.clips[ClipKey("one", t)].reason) for t in ("one", "two")} == {sentence}
        assert found.clips[ClipKey("two", "one")].state is State.READY
    (run,) = house.instance.get_runs(dg.RunsFilter(statuses=[DagsterRunStatus.FAILURE]))
    assert reason_in(run.tags) == house.plan().voices["one"].reason
    house.replace("one", "better")
    assert house.plan().voices["one"].state is State.STALE


def fail(house: House, key: str = "one|one", tags: dict[str, str] | None = None) -> str:
    return house.run(CLIP, key, DagsterRunStatus.FAILURE, tags)


def inputs_tags(house: House, key: str = "one|one") -> dict[str, str]:
    return {"heygem/tried": house.plan().inputs_digest(Subject(Stage.CLIP, key)), **reason_tag(NO)}


def test_a_failed_clip_stays_failed_until_settings_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    run_id = fail(house, tags=inputs_tags(house))
    assert house.clip() == planner.Status(State.FAILED, NO, run_id)
    assert house.clip("one", "two").state is State.READY
    monkeypatch.setenv("HEYGEM_MIN_FACE_PIXELS", "32")
    settings.cache_clear()
    assert house.clip().state is State.READY


def test_a_failure_of_the_page_counts_and_is_tied_to_what_is_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.make_inputs()
    fail(house, tags=reason_tag(NO))
    assert house.clip().state is State.FAILED
    monkeypatch.setenv("HEYGEM_CRF", "30")
    settings.cache_clear()
    assert house.clip().state is State.READY


def test_a_person_may_forgive(house: House) -> None:
    house.make_inputs()
    fail(house, tags=inputs_tags(house))
    assert house.clip().state is State.FAILED
    forgive(house.folders, ["clip one|one"])
    assert house.clip().state is State.READY
    fail(house, tags=inputs_tags(house))
    assert house.clip().state is State.FAILED


def test_a_cancelled_clip_is_not_asked_for_again(house: House) -> None:
    house.make_inputs()
    house.run(CLIP, "one|one", DagsterRunStatus.CANCELED)
    assert house.clip().state is State.FAILED and house.clip().reason == CANCELLED


def test_a_run_that_was_interrupted_is_asked_for_again_but_not_without_end(house: House) -> None:
    house.make_inputs()
    for _ in range(failed_attempts.INTERRUPTIONS):
        assert house.clip().state is State.READY
        run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
        run = house.instance.get_run_by_id(run_id)
        assert run is not None
        assert house.clip().state is State.RUNNING
        house.instance.report_run_failed(run, "The machine stopped.")
        house.instance.add_run_tags(run_id, {"dagster/will_retry": "false"})
    assert house.clip().state is State.FAILED and house.clip().reason == Message("run.interrupted_often", times=3)


def test_a_run_whose_database_was_away_is_asked_for_again_but_not_without_end(house: House) -> None:
    house.make_inputs()
    away = Message("run.database_failed", error="server closed the connection unexpectedly")
    tags = {"heygem/tried": house.plan().inputs_digest(Subject(Stage.CLIP, "one|one")), **reason_tag(away)}
    for _ in range(failed_attempts.INTERRUPTIONS):
        assert house.clip().state is State.READY
        fail(house, tags=tags)
    assert house.clip().state is State.FAILED and house.clip().reason == away


def test_a_run_that_ended_with_the_pipeline_is_asked_for_again_however_often(house: House) -> None:
    house.make_inputs()
    for _ in range(failed_attempts.INTERRUPTIONS + 1):
        assert house.clip().state is State.READY
        run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
        assert fail_abandoned_runs(house.instance, house.folders) == [run_id]
        house.instance.add_run_tags(run_id, {"dagster/will_retry": "false"})
    assert house.clip().state is State.READY


def test_a_run_that_starts_slowly_on_a_busy_machine_is_not_counted_as_killed(house: House) -> None:
    house.make_inputs()
    runs = []
    for _ in range(failed_attempts.INTERRUPTIONS + 1):
        assert house.clip().state is State.READY
        run = house.instance.get_run_by_id(house.run(CLIP, "one|one", DagsterRunStatus.STARTING))
        assert run is not None
        # As Dagster's daemon does it.
        late = JobFailureData(error=None, failure_reason=RunFailureReason.START_TIMEOUT)
        house.instance.report_run_failed(run, "Run timed out due to taking longer than 60 seconds to start.", late)
        house.instance.add_run_tags(run.run_id, {"dagster/will_retry": "false"})
        runs.append(run.run_id)
    assert house.clip().state is State.READY
    tags = {"heygem/tried": house.plan().inputs_digest(Subject(Stage.CLIP, "one|one")), **reason_tag(SLOW_START)}
    for _ in range(failed_attempts.SLOW_STARTS - len(runs)):
        fail(house, tags=tags)
    assert house.clip().state is State.FAILED and house.clip().reason == SLOW_START


def test_what_dagster_starts_anew_itself_counts_as_queued(house: House) -> None:
    house.make_inputs()
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED, {"dagster/max_retries": "1"})
    run = house.instance.get_run_by_id(run_id)
    assert run is not None
    house.instance.report_run_failed(run, "The machine stopped.")
    assert house.clip().state is State.QUEUED


def test_logs_are_read_in_bounded_numbers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    monkeypatch.setattr(failed_attempts, "LOGS_READ", 1)
    read: list[str] = []
    monkeypatch.setattr(failed_attempts, "read_reason", lambda _, run_id, _known: read.append(run_id) or NO)
    runs = [fail(house, f"{v}|{t}") for v in ("one", "two") for t in ("one", "two")]
    assert house.plan().counts == {State.FAILED: 4} and len(read) == 1
    for _ in range(4):
        house.plan()
    assert sorted(read) == sorted(runs)


def test_a_failure_is_remembered_however_many_runs_failed_after_it(house: House) -> None:
    house.make_inputs()
    fail(house, "one|one", inputs_tags(house))
    after = house.instance.get_run_by_id(fail(house, "gone|gone"))
    assert after is not None and house.clip().state is State.FAILED
    fail_often(house, after.run_id, 2500)
    assert house.clip().state is State.FAILED and house.clip().reason == NO


def test_a_long_ended_run_says_once_why_it_failed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    monkeypatch.setattr(history, "SECONDS_OF_CHANGE", -1)
    read: list[str] = []
    monkeypatch.setattr(failed_attempts, "read_reason", lambda _, run_id, _known: read.append(run_id) or NO)
    run_id = fail(house)
    assert [house.clip().reason for _ in range(3)] == [NO] * 3 and read == [run_id]
    monkeypatch.setattr(history, "_ended", {})
    assert house.clip().reason == NO and read == [run_id]


def fail_often(house: House, run_id: str, times: int) -> None:
    """Record that a run failed many times over: copies of its row, which Dagster would write one by one."""
    (database,) = house.folders.state.rglob("runs.db")
    with closing(sqlite3.connect(database)) as runs:
        row = runs.execute("SELECT * FROM runs WHERE run_id = ?", [run_id])
        columns = [column for column, *_ in row.description if column != "id"]
        values = dict(zip((column for column, *_ in row.description), row.fetchone(), strict=True))
        copies = []
        for _ in range(times):
            new = str(uuid4())
            copies.append([str(values[c]).replace(run_id, new) if c.startswith("run_") else values[c] for c in columns])
        runs.executemany(f"INSERT INTO runs ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", copies)
        runs.commit()


def test_a_run_of_another_kind_disturbs_nothing(house: House) -> None:
    house.make_inputs()
    house.instance.create_run_for_job(graph_definitions().resolve_implicit_global_asset_job_def())
    assert house.plan().counts == {State.READY: 4}
    assert history.active_runs(house.instance)[1] == {}


@pytest.mark.parametrize(("engine", "lacking"), [("wav2lip", "wav2lip.pth"), ("musetalk", "musetalkV15/unet.pth")])
def test_a_clip_whose_engine_lacks_its_weights_says_so_and_holds_no_other_up(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: str, lacking: str
) -> None:
    house.make_inputs()
    for name, value in {"CHECKPOINTS": tmp_path, "ACKNOWLEDGED_LICENCES": "wav2lip"}.items():
        monkeypatch.setenv(f"HEYGEM_{name}", str(value))
    settings.cache_clear()
    (house.folders.campaigns / "a.yaml").write_text(f"voices: one\npresenters: one\nengine: {engine}\n")
    (house.folders.campaigns / "b.yaml").write_text("voices: two\npresenters: one\n")
    status = house.clip("one", "one")
    assert status.state is State.FAILED and lacking in str(status.reason)
    assert house.clip("two", "one").state is State.READY


def test_a_presenter_whose_tracker_lacks_its_weights_says_so_until_they_are_there(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEYGEM_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("HEYGEM_DOWNLOADS", "no")
    settings.cache_clear()
    (house.folders.presenters / "two.yaml").write_text("tracker: face_alignment\n")
    found = house.plan()
    assert found.presenters["two"].state is State.FAILED and "s3fd" in str(found.presenters["two"].reason)
    assert found.presenters["one"].state is State.READY
    owner = owner_called("face_alignment")
    assert owner is not None
    for part in owner.parts:
        (tmp_path / part.files[0].file).touch()
    assert house.plan().presenters["two"].state is State.READY
