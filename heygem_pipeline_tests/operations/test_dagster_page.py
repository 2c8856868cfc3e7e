"""What people launch in the page: backfills over any selection, and what failed once more."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.runs.stages import Stage, step_name, subject_of
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline_tests import trace
from heygem_pipeline_tests.conftest import write_voice
from heygem_pipeline_tests.dagster_page import Page
from heygem_pipeline_tests.served import serving, wait_for

pytestmark = [pytest.mark.server, pytest.mark.long(minutes=3)]

ASSETS = ["spoken_script", "audio_features", "face_tracks", "generated_frames", "encoded_video", "delivery"]
CLIP = ["generated_frames", "encoded_video"]
SECONDS = 0.8

BACKFILL_ERROR = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { error { message } } } }"""


@pytest.fixture
def uploads(data: DataFolders, material: Path) -> DataFolders:
    """Two good voices and a bad one, two presenters."""
    for number, name in enumerate(("one", "two")):
        write_voice(data.voices / f"{name}.wav", SECONDS, 16_000 + number)
    (data.voices / "broken.wav").write_bytes(b"no sound")
    for name in ("anna", "ben"):
        shutil.copy(material / "presenter.mp4", data.presenters / f"{name}.mp4")
    return data


def made(folders: DataFolders) -> set[str]:
    outputs = folders.root / "outputs"
    return {str(path.relative_to(outputs)) for path in (*outputs.glob("*/*.mp4"), *outputs.glob("*.zip"))}


FOUR = {f"{voice}/{presenter}.mp4" for voice in ("one", "two") for presenter in ("anna", "ben")}


def test_a_backfill_of_everything_makes_all_but_what_a_bad_upload_spoils(
    uploads: DataFolders, port: int, tmp_path: Path
) -> None:
    with serving(port, tmp_path / "up.log"), open_instance(data_folders()) as instance:
        page = Page(port)
        backfill = page.backfill(ASSETS)
        wait_for(lambda: page.backfill_status(backfill) not in ("REQUESTED", "FAILING"))
        assert page.backfill_status(backfill) == "COMPLETED_FAILED"
        assert made(uploads) == FOUR | {"one.zip", "two.zip"}
        found = plan(instance, uploads, settings())
        assert {clip for clip, status in found.clips.items() if status.state is State.FAILED} == {
            ClipKey("broken", "anna"),
            ClipKey("broken", "ben"),
        }
        assert "broken.wav" in str(found.clips[ClipKey("broken", "anna")].reason)
        failed = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.FAILURE]))
        assert {subject_of(run) for run in failed} == {trace.Subject(Stage.VOICE, "broken")}

        told = page.ask(BACKFILL_ERROR, id=backfill)["error"]["message"]
        assert told == f"voice broken: {found.voices['broken'].reason}"
        assert page.clip_asset(partition="broken|ben")["latestRunForPartition"]["runId"] == failed[0].run_id
        assert page.clip_asset(partition="one|ben")["latestRunForPartition"]["runId"] != failed[0].run_id

        assert page.clip_asset(partition="one|ben")["partitionStats"] == {"numMaterialized": 4, "numPartitions": 6}
        (uploads.campaigns / "autumn.yaml").write_text("voices: broken\npresenters: ben\n")
        wait_for(lambda: page.clip_asset(partition="one|ben")["partitionStats"]["numPartitions"] == 4 + 1)

        drawn, encoded = (trace.steps(instance, name) for name in CLIP)
        assert len(drawn) == len(encoded) == 4
        assert trace.overlapping(drawn) == []


def test_a_selection_is_made_again_alone_and_what_failed_is_tried_from_where_it_failed(
    uploads: DataFolders, port: int, tmp_path: Path
) -> None:
    shutil.copy(uploads.presenters / "ben.mp4", uploads.presenters / "carl.mp4")
    in_the_way = uploads.clip(ClipKey("one", "carl"))
    in_the_way.mkdir(parents=True)
    with open_instance(data_folders()) as instance:
        take_in_uploads(instance, data_folders())
        materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(uploads, settings()))
        for asset, keys in (("audio_features", ("one", "two")), ("face_tracks", ("anna", "ben", "carl"))):
            for key in keys:
                assert materializer.run([asset], key) is None
        with serving(port, tmp_path / "up.log"):
            page = Page(port)
            run_id = page.materialize(CLIP, multi_partition_key(ClipKey("one", "carl")))
            selection = [
                multi_partition_key(ClipKey(voice, presenter))
                for voice in ("one", "two")
                for presenter in ("anna", "ben")
            ]
            backfill = page.backfill(CLIP, selection)

            wait_for(lambda: has_ended(instance, run_id))
            assert plan(instance, uploads, settings()).clips[ClipKey("one", "carl")].state is State.FAILED
            in_the_way.rmdir()
            again = page.reexecute_from_failure(run_id)
            wait_for(lambda: has_ended(instance, again))
            assert steps_of(instance, run_id) == CLIP and steps_of(instance, again) == ["encoded_video"]
            assert plan(instance, uploads, settings()).clips[ClipKey("one", "carl")].state is State.DONE

            wait_for(lambda: page.backfill_status(backfill) != "REQUESTED")
            assert page.backfill_status(backfill) == "COMPLETED_SUCCESS"
            assert made(uploads) == FOUR | {"one/carl.mp4"}
            assert len(instance.get_runs(RunsFilter(tags={"dagster/backfill": backfill}))) == 4


def steps_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    started = instance.get_records_for_run(run_id, of_type=DagsterEventType.STEP_START).records
    return [step_name(record.event_log_entry.step_key or "") for record in started]


def has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is not None and run.is_finished
