"""Ended runs go; what they made stays known, to the planner and to Dagster."""

import os
import shutil
from pathlib import Path
from time import time

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus, RunsFilter
from dagster._core.events import StepMaterializationData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.messages.message import verbatim
from heygem_pipeline.operations.backup import back_up
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.operations.retention import prune
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs import materializations as made
from heygem_pipeline.runs.failure_reasons import reason_tag
from heygem_pipeline.runs.history import active_runs
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.house import CLIP, House

DAY = 24 * 3600.0


def removed(instance: dg.DagsterInstance, folders: DataFolders, days: float, dry_run: bool = False) -> dict[str, int]:
    """Prune, so many days later."""
    return {kind.what: kind.count for kind in prune(instance, folders, settings(), dry_run, now=time() + days * DAY)}


def ended(
    house: House,
    status: DagsterRunStatus = DagsterRunStatus.SUCCESS,
    made: str | None = None,
    tags: dict[str, str] | None = None,
    key: str = "one|one",
) -> str:
    """Record a run of a clip with its events. made: the version of the clip it made."""
    run_id = house.run(CLIP, key, status, tags)
    house.instance.report_engine_event("It worked.", run_id=run_id, job_name="x")
    if made is not None:
        data = StepMaterializationData(
            dg.AssetMaterialization("encoded_video", partition=key, tags={"dagster/data_version": made})
        )
        event = DagsterEvent(DagsterEventType.ASSET_MATERIALIZATION.value, "x", event_specific_data=data)
        house.instance.report_dagster_event(event, run_id)
    logs = house.folders.state / run_id / "compute_logs"
    logs.mkdir(parents=True)
    (logs / "step.err").write_text("said")
    return run_id


def files_of(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    state = Path(storage.path_for_shard(run_id)).parents[2]
    return [path for path in state.rglob("*") if run_id in path.name]


def test_a_real_clip_stays_done_when_its_runs_are_gone(data: DataFolders, material: Path, tmp_path: Path) -> None:
    shutil.copy(material / "voice.wav", data.voices / "talk.wav")
    shutil.copy(material / "presenter.mp4", data.presenters / "teacher.mp4")
    with open_instance(data) as instance:
        take_in_uploads(instance, data)
        materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(data, settings()))
        for assets, key in (
            (["audio_features"], "talk"),
            (["face_tracks"], "teacher"),
            (["generated_frames", "encoded_video"], multi_partition_key(ClipKey("talk", "teacher"))),
        ):
            assert materializer.run(assets, key) is None
        assert not data.patches(ClipKey("talk", "teacher")).exists()
        assert materializer.run(["delivery"], "talk") is None
        runs = instance.get_run_ids()
        assert removed(instance, data, 29) == {}
        assert removed(instance, data, 31, dry_run=True) == {"runs that ended well": 4}
        assert removed(instance, data, 31) == {"runs that ended well": 4}
        assert instance.get_run_ids() == [] and [files_of(instance, run) for run in runs] == [[], [], [], []]
        assert instance.get_run_tags(["dagster/partition"]) == []
        assert removed(instance, data, 31) == {}

    made._known.clear()
    with open_instance(data) as instance:
        found = plan(instance, data, settings())
        everything = [*found.voices.values(), *found.presenters.values(), *found.clips.values()]
        assert {status.state for status in everything} == {State.DONE}
        assert found.deliveries["talk"].state is State.DONE
        (record,) = instance.fetch_materializations(dg.AssetKey("encoded_video"), limit=5).records
        assert record.asset_materialization is not None and "filmstrip" in record.asset_materialization.metadata
        assert back_up(data, tmp_path / "backup.tar").files > 0


def test_only_the_newest_materialization_of_a_partition_is_kept(house: House) -> None:
    old, newest = ended(house, made="1"), ended(house, made="2")
    removed(house.instance, house.folders, 31)
    records = house.instance.fetch_materializations(dg.AssetKey("encoded_video"), limit=5).records
    assert [record.event_log_entry.run_id for record in records] == [newest]
    assert made.data_versions(house.instance, house.folders, "encoded_video") == {"one|one": "2"}
    assert files_of(house.instance, old) == []


def test_failed_runs_stay_longer_and_as_long_as_they_say_why_something_is_failed(house: House) -> None:
    house.make_inputs()
    tried = {"heygem/tried": house.plan().inputs_digest(Subject(Stage.CLIP, "one|one")), **reason_tag(verbatim("No."))}
    needed = [ended(house, DagsterRunStatus.FAILURE, tags=tried) for _ in range(2)]
    house.make_clip("two", "two")
    ended(house, DagsterRunStatus.FAILURE, key="two|two")
    ended(house, DagsterRunStatus.CANCELED, key="two|two")
    assert removed(house.instance, house.folders, 89) == {}
    assert removed(house.instance, house.folders, 91) == {"failed runs": 2}
    assert sorted(house.instance.get_run_ids()) == sorted(needed)
    assert house.clip().reason == verbatim("No.") and house.clip("two", "two").state is State.DONE


@pytest.mark.parametrize("status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING])
def test_a_run_that_has_not_ended_stays_with_all_its_files(house: House, status: DagsterRunStatus) -> None:
    run_id = ended(house, status)
    before = files_of(house.instance, run_id)
    assert removed(house.instance, house.folders, 1000) == {}
    assert files_of(house.instance, run_id) == before
    assert any(Subject(Stage.CLIP, "one|one") in group for group in active_runs(house.instance))


def test_runs_of_a_backfill_in_progress_stay(house: House) -> None:
    run_id = ended(house, made="1", tags={"dagster/backfill": "nightly"})
    backfill = PartitionBackfill(
        "nightly", BulkActionStatus.REQUESTED, from_failure=False, tags={}, backfill_timestamp=0.0, partition_names=[]
    )
    house.instance.add_backfill(backfill)
    assert removed(house.instance, house.folders, 1000) == {}
    house.instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    assert removed(house.instance, house.folders, 1000) == {"runs that ended well": 1}
    assert house.instance.get_run_by_id(run_id) is None


def test_what_a_killed_prune_or_the_page_left_of_a_run_goes_too(house: House) -> None:
    run_id = ended(house, made="1")
    house.instance.run_storage.delete_run(run_id)
    for path in files_of(house.instance, run_id):
        os.utime(path, (time() - 2 * DAY, time() - 2 * DAY))
    assert removed(house.instance, house.folders, 0) == {"events and logs of deleted runs": 1}
    assert files_of(house.instance, run_id) == []
    assert made.data_versions(house.instance, house.folders, "encoded_video") == {"one|one": "1"}
    assert removed(house.instance, house.folders, 0) == {}


def test_runs_can_be_recorded_after_a_prune_as_before(house: House) -> None:
    ended(house, made="1")
    removed(house.instance, house.folders, 31)
    run_id = ended(house, made="2")
    assert house.instance.get_run_ids(RunsFilter(statuses=[DagsterRunStatus.SUCCESS])) == [run_id]
    assert house.instance.all_logs(run_id)[-1].dagster_event_type is DagsterEventType.ASSET_MATERIALIZATION
    assert made.data_versions(house.instance, house.folders, "encoded_video") == {"one|one": "2"}
