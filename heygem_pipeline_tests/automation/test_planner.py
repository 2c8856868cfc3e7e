"""Where voices, presenters and clips stand, told by files, events, runs and backfills of a real instance."""

import shutil
from pathlib import Path
from time import sleep

import dagster as dg
import numpy as np
import pytest
from dagster import DagsterRunStatus
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.assets.partitions import clip_key
from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.automation import planner, run_records
from heygem_pipeline.automation.ingest import take_in_uploads
from heygem_pipeline.automation.materialize import Materializer
from heygem_pipeline.automation.planner import Plan
from heygem_pipeline.automation.recovery import fail_abandoned_runs
from heygem_pipeline.automation.requests import forgive
from heygem_pipeline.automation.stages import Stage, Subject
from heygem_pipeline.automation.standing import Stand
from heygem_pipeline.checkpoints.catalogue import CATALOGUE
from heygem_pipeline.settings import settings
from heygem_pipeline_tests.automation.house import CLIP, VOICE, House
from heygem_pipeline_tests.conftest import write_wav


def stands(found: Plan) -> set[tuple[str, ...]]:
    return {(*clip, standing.stand.value) for clip, standing in found.clips.items()}


def test_before_anything_is_made_clips_wait_for_their_inputs(house: House) -> None:
    found = house.plan()
    assert {standing.stand for standing in [*found.voices.values(), *found.presenters.values()]} == {Stand.READY}
    assert found.counts == {Stand.WAITING: 4}


def test_a_clip_is_ready_when_both_inputs_are_done_and_done_when_it_is_made_of_them(house: House) -> None:
    house.make_inputs()
    assert house.plan().counts == {Stand.READY: 4}
    house.make_clip()
    assert house.plan().counts == {Stand.READY: 3, Stand.DONE: 1}
    house.folders.clip("one", "one").unlink()
    assert house.clip().stand is Stand.READY


def test_a_replaced_voice_is_stale_then_its_clips_and_no_other(house: House) -> None:
    house.make_inputs()
    for template in ("one", "two"):
        house.make_clip("one", template)
        house.make_clip("two", template)
    house.replace("one", "another")
    found = house.plan()
    assert found.voices["one"].stand is Stand.STALE and found.voices["two"].stand is Stand.DONE
    assert stands(found) == {
        (v, t, "waiting" if v == "one" else "done") for v in ("one", "two") for t in ("one", "two")
    }
    house.make_inputs()
    assert stands(house.plan()) == {
        (v, t, "stale" if v == "one" else "done") for v in ("one", "two") for t in ("one", "two")
    }


def test_other_marks_make_clips_stale(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    house.make_clip()
    monkeypatch.setenv("HEYGEM_LABEL", "always")
    settings.cache_clear()
    assert house.clip().stand is Stand.STALE


def test_a_sidecar_that_chooses_another_tracker_makes_its_presenter_and_its_clips_stale(house: House) -> None:
    house.make_inputs()
    for template in ("one", "two"):
        house.make_clip("one", template)
    sidecar = house.folders.presenters / "two.yaml"
    sidecar.write_text("tracker: face_alignment")
    found = house.plan()
    assert (found.presenters["one"].stand, found.presenters["two"].stand) == (Stand.DONE, Stand.STALE)
    assert (found.clips["one", "one"].stand, found.clips["one", "two"].stand) == (Stand.DONE, Stand.WAITING)
    sidecar.write_text("tracker: dlib")
    assert house.plan().counts == {Stand.DONE: 2, Stand.READY: 2}


def test_a_wrong_sidecar_fails_its_presenter_alone_until_it_is_put_right(house: House, material: Path) -> None:
    shutil.copy(material / "presenter.mp4", house.folders.presenters / "two.mp4")
    house.take_in()
    sidecar = house.folders.presenters / "two.yaml"
    sidecar.write_text("tracker: magic")
    assert {standing.stand for standing in house.plan().presenters.values()} == {Stand.READY}
    Materializer(house.instance, NoDisplay()).run(["face_tracks"], "two")
    found = house.plan()
    assert found.presenters["one"].stand is Stand.READY
    assert found.presenters["two"].stand is Stand.FAILED and "two.yaml" in found.presenters["two"].sentence
    sidecar.write_text("tracker: dlib")
    assert house.plan().presenters["two"].stand is Stand.READY


def test_a_deleted_store_leaves_finished_clips_done(house: House) -> None:
    house.make_inputs()
    house.make_clip()
    house.folders.voice("one").unlink()
    found = house.plan()
    assert found.voices["one"].stand is Stand.READY
    assert (found.clips["one", "one"].stand, found.clips["one", "two"].stand) == (Stand.DONE, Stand.WAITING)


def test_only_wanted_clips_are_planned(house: House) -> None:
    (house.folders.campaigns / "a.yaml").write_text("voices: one.wav\npresenters: two\n")
    assert list(house.plan().clips) == [("one", "two")]


def test_runs_under_way_are_told_with_what_they_have_done(house: House) -> None:
    house.make_inputs()
    house.run(CLIP, "one|one", DagsterRunStatus.NOT_STARTED)
    run_id = house.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    house.run(VOICE, "two", DagsterRunStatus.STARTED)
    house.instance.report_engine_event("30 of 120 frames, 30.0 frames/s, 3 s left", run_id=run_id, job_name="x")
    found = house.plan()
    assert found.clips["one", "one"].stand is Stand.QUEUED
    assert (found.clips["one", "two"].stand, found.clips["one", "two"].share) == (Stand.RUNNING, 0.125)
    assert found.voices["two"].stand is Stand.RUNNING
    assert found.clips["two", "one"].stand is Stand.WAITING


def test_a_backfill_that_has_not_asked_for_its_runs_yet_counts_as_queued(house: House) -> None:
    house.make_inputs()
    graph = graph_definitions().resolve_asset_graph()
    backfill = PartitionBackfill.from_asset_partitions(
        "a_backfill",
        asset_graph=graph,
        partition_names=[str(clip_key("one", "one")), str(clip_key("one", "two"))],
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
    assert house.plan().counts == {Stand.QUEUED: 2, Stand.READY: 2}
    house.instance.update_backfill(backfill.with_status(BulkActionStatus.CANCELED))
    assert house.plan().counts == {Stand.READY: 4}


def test_a_bad_voice_fails_its_clips_with_its_sentence_until_it_is_replaced(house: House) -> None:
    house.make_inputs()
    write_wav(house.folders.voices / "one.wav", np.zeros(16000))
    take_in_uploads(house.instance)
    sleep(0.01)
    sentence = Materializer(house.instance, NoDisplay()).run(VOICE, "one")
    assert sentence is not None and "one.wav" in sentence
    for _ in range(2):
        found = house.plan()
        assert (found.voices["one"].stand, found.voices["one"].sentence) == (Stand.FAILED, sentence)
        assert {found.clips["one", t].sentence for t in ("one", "two")} == {sentence}
        assert found.clips["two", "one"].stand is Stand.READY
    (run,) = house.instance.get_runs(dg.RunsFilter(statuses=[DagsterRunStatus.FAILURE]))
    assert run.tags["heygem/sentence"] == sentence
    house.replace("one", "better")
    assert house.plan().voices["one"].stand is Stand.STALE


def fail(house: House, key: str = "one|one", tags: dict[str, str] | None = None) -> str:
    return house.run(CLIP, key, DagsterRunStatus.FAILURE, tags)


def tried(house: House, key: str = "one|one") -> dict[str, str]:
    return {"heygem/tried": house.plan().what_is_tried(Subject(Stage.CLIP, key)), "heygem/sentence": "No."}


def test_a_failed_clip_stays_failed_until_settings_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    run_id = fail(house, tags=tried(house))
    assert house.clip() == planner.Standing(Stand.FAILED, "No.", run_id)
    assert house.clip("one", "two").stand is Stand.READY
    monkeypatch.setenv("HEYGEM_MIN_FACE_PIXELS", "32")
    settings.cache_clear()
    assert house.clip().stand is Stand.READY


def test_a_failure_of_the_page_counts_and_is_tied_to_what_is_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.make_inputs()
    fail(house, tags={"heygem/sentence": "No."})
    assert house.clip().stand is Stand.FAILED
    monkeypatch.setenv("HEYGEM_CRF", "30")
    settings.cache_clear()
    assert house.clip().stand is Stand.READY


def test_a_person_may_forgive(house: House) -> None:
    house.make_inputs()
    fail(house, tags=tried(house))
    assert house.clip().stand is Stand.FAILED
    forgive(house.folders, ["clip one|one"])
    assert house.clip().stand is Stand.READY
    fail(house, tags=tried(house))
    assert house.clip().stand is Stand.FAILED


def test_a_cancelled_clip_is_not_asked_for_again(house: House) -> None:
    house.make_inputs()
    house.run(CLIP, "one|one", DagsterRunStatus.CANCELED)
    assert house.clip().stand is Stand.FAILED and "cancelled" in house.clip().sentence


def test_a_run_that_was_interrupted_is_asked_for_again_but_not_without_end(house: House) -> None:
    house.make_inputs()
    for _ in range(planner.INTERRUPTIONS):
        assert house.clip().stand is Stand.READY
        run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
        run = house.instance.get_run_by_id(run_id)
        assert run is not None
        assert house.clip().stand is Stand.RUNNING
        house.instance.report_run_failed(run, "The machine stopped.")
        house.instance.add_run_tags(run_id, {"dagster/will_retry": "false"})
    assert house.clip().stand is Stand.FAILED and "3 times" in house.clip().sentence


def test_a_run_that_ended_with_the_pipeline_is_asked_for_again_however_often(house: House) -> None:
    house.make_inputs()
    for _ in range(planner.INTERRUPTIONS + 1):
        assert house.clip().stand is Stand.READY
        run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
        assert fail_abandoned_runs(house.instance) == [run_id]
        house.instance.add_run_tags(run_id, {"dagster/will_retry": "false"})
    assert house.clip().stand is Stand.READY


def test_what_dagster_starts_anew_itself_counts_as_queued(house: House) -> None:
    house.make_inputs()
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED, {"dagster/max_retries": "1"})
    run = house.instance.get_run_by_id(run_id)
    assert run is not None
    house.instance.report_run_failed(run, "The machine stopped.")
    assert house.clip().stand is Stand.QUEUED


def test_logs_are_read_in_bounded_numbers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    monkeypatch.setattr(planner, "LOGS_READ", 1)
    read: list[str] = []
    monkeypatch.setattr(planner, "read_sentence", lambda _, run_id: read.append(run_id) or "No.")
    runs = [fail(house, f"{v}|{t}") for v in ("one", "two") for t in ("one", "two")]
    assert house.plan().counts == {Stand.FAILED: 4} and len(read) == 1
    for _ in range(4):
        house.plan()
    assert sorted(read) == sorted(runs)


def test_a_run_of_another_kind_disturbs_nothing(house: House) -> None:
    house.make_inputs()
    house.instance.create_run_for_job(graph_definitions().resolve_implicit_global_asset_job_def())
    assert house.plan().counts == {Stand.READY: 4}
    assert run_records.active_runs(house.instance)[1] == {}


def test_a_clip_whose_engine_lacks_its_weights_says_so_and_holds_no_other_up(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house.make_inputs()
    for name, value in {"CHECKPOINTS": tmp_path, "ACKNOWLEDGED_LICENCES": "wav2lip"}.items():
        monkeypatch.setenv(f"HEYGEM_{name}", str(value))
    settings.cache_clear()
    (house.folders.campaigns / "a.yaml").write_text("voices: one\npresenters: one\nengine: wav2lip\n")
    (house.folders.campaigns / "b.yaml").write_text("voices: two\npresenters: one\n")
    standing = house.clip("one", "one")
    assert standing.stand is Stand.FAILED and "wav2lip.pth" in standing.sentence
    assert house.clip("two", "one").stand is Stand.READY


def test_a_presenter_whose_tracker_lacks_its_weights_says_so_until_they_are_there(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEYGEM_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("HEYGEM_DOWNLOADS", "no")
    settings.cache_clear()
    (house.folders.presenters / "two.yaml").write_text("tracker: face_alignment\n")
    found = house.plan()
    assert found.presenters["two"].stand is Stand.FAILED and "s3fd" in found.presenters["two"].sentence
    assert found.presenters["one"].stand is Stand.READY
    for part in CATALOGUE[1].parts:
        (tmp_path / part.files[0].file).touch()
    assert house.plan().presenters["two"].stand is Stand.READY
