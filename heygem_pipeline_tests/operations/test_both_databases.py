"""What hangs on how Dagster's records are kept: the same on SQLite and on a real PostgreSQL."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from socket import gethostname
from time import time

import dagster as dg
import pytest
import sqlalchemy as db
from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.events import StepMaterializationData

from heygem_pipeline.errors import AlreadyRunning, BackupUnusable, ClusterUnusable, OutputRefused
from heygem_pipeline.messages.message import verbatim
from heygem_pipeline.operations.backup import back_up, restore
from heygem_pipeline.operations.erasure import ErasureTarget, bytes_of, erase, plan_erasure
from heygem_pipeline.operations.retention import prune
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.requests import ask_for, read_requests
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs import materializations
from heygem_pipeline.runs.dagster_internals import ended_runs, latest_tag_by_partition
from heygem_pipeline.runs.data_folder_lock import is_served, only_runner
from heygem_pipeline.runs.failure_reasons import reason_tag
from heygem_pipeline.runs.instance import is_sqlite, open_instance
from heygem_pipeline.runs.latest_records import latest_records
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.runs.run_log import read_log
from heygem_pipeline.runs.stages import Stage, Subject, subject_of, subject_said
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.uploads.registry import UploadKind, Uploads
from heygem_pipeline.uploads.voice_languages import languages_of, note_language
from heygem_pipeline_tests.bucket_server import BucketServer
from heygem_pipeline_tests.conftest import data_folder_at
from heygem_pipeline_tests.house import CLIP, VOICE, House
from heygem_pipeline_tests.postgres_server import PostgresServer, engine_of
from heygem_pipeline_tests.served import wait_for

pytestmark = pytest.mark.server

DAY = 24 * 3600.0
NAME = "giraffe"
"""Found in no table but by what is recorded of it."""


@pytest.fixture(params=["sqlite", "postgres", "bucket"])
def empty(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DataFolders]:
    """A data folder whose records lie in itself, or in a database of its own, or its files in a bucket too."""
    if request.param != "sqlite":
        server: PostgresServer = request.getfixturevalue("postgres")
        monkeypatch.setenv("HEYGEM_DATABASE", server.create(tmp_path.name, "dagster"))
    if request.param == "bucket":
        buckets: BucketServer = request.getfixturevalue("bucket")
        buckets.use(buckets.create(tmp_path.name), monkeypatch)
    with data_folder_at(tmp_path / "data") as folders:
        assert bool(folders.database) == (request.param != "sqlite")
        yield folders


@pytest.fixture
def house(empty: DataFolders) -> Iterator[House]:
    with open_instance(empty) as instance:
        assert is_sqlite(instance) == (not empty.database)
        yield House(empty, instance)


def ended(
    house: House,
    assets: list[str],
    key: str,
    status: DagsterRunStatus = DagsterRunStatus.SUCCESS,
    made: str | None = None,
    tags: dict[str, str] | None = None,
) -> str:
    """Record a run with its events. made: the version of the last of the assets."""
    run_id = house.run(assets, key, status, tags)
    house.instance.report_engine_event("It worked.", run_id=run_id, job_name="x")
    if made is not None:
        materialization = dg.AssetMaterialization(assets[-1], partition=key, tags={"dagster/data_version": made})
        check = AssetCheckEvaluation(
            asset_key=dg.AssetKey(assets[-1]), check_name="check", passed=True, metadata={}, partition=key
        )
        for kind, data in (
            (DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(materialization)),
            (DagsterEventType.ASSET_CHECK_EVALUATION, check),
        ):
            event = DagsterEvent(kind.value, "x", event_specific_data=data)
            house.instance.report_dagster_event(event, run_id)
    return run_id


def removed(house: House, days: float) -> dict[str, int]:
    """Prune, so many days later."""
    pruned = prune(house.instance, house.folders, settings(), dry_run=False, now=time() + days * DAY)
    return {kind.what: kind.count for kind in pruned}


def records(folders: DataFolders) -> list[tuple[str, str]]:
    """Every row of every database: table, and what stands in it."""
    if folders.database:
        with engine_of(folders.database).connect() as connection:
            tables = db.inspect(connection).get_table_names()
            return [(t, str(row)) for t in tables for row in connection.exec_driver_sql(f'SELECT * FROM "{t}"')]
    found = []
    for path in folders.state.rglob("*.db"):
        with closing(sqlite3.connect(path)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found += [(t, str(row)) for t in tables for row in connection.execute(f'SELECT * FROM "{t}"')]
    return found


def test_rows_that_are_read_without_dagster_say_what_dagster_makes_of_them(house: House) -> None:
    for key in ("one|one", "one|two"):
        ended(house, CLIP, key, made="1")
    ended(house, VOICE, "one", made="3")
    ended(house, CLIP, "one|two", made="2")
    failed = ended(house, CLIP, "one|one", DagsterRunStatus.FAILURE, tags=reason_tag(verbatim(NAME)))
    ended(house, VOICE, "two", DagsterRunStatus.CANCELED)
    # As a sensor starts it: the job says which assets.
    house.instance.create_run_for_job(house.job, tags={"dagster/partition": "one"}, status=DagsterRunStatus.FAILURE)
    house.instance.report_run_failed(house.instance.create_run_for_job(house.job))

    known = {record.dagster_run.run_id: record for record in house.instance.get_run_records()}
    rows = list(ended_runs(house.instance, list(known)))
    assert len(rows) == len(known) == 8 and any(row.ended for row in rows)
    for row in rows:
        record = known[row.run_id]
        assert subject_said(row.job, row.assets, row.tags) == subject_of(record.dagster_run)
        assert row.tags == record.dagster_run.tags
        assert row.cancelled == (record.dagster_run.status is DagsterRunStatus.CANCELED)
        assert (row.asked, row.ended) == (record.create_timestamp.timestamp(), record.end_time)
        assert row.changed == record.update_timestamp.timestamp()
    assert known[failed].dagster_run.asset_selection

    storage, asset = house.instance.event_log_storage, dg.AssetKey("encoded_video")
    for after in (0, (storage.get_maximum_record_id() or 0) - 5):
        theirs = storage.get_latest_tags_by_partition(
            asset, DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"], after_cursor=after
        )
        ours = latest_tag_by_partition(house.instance, "encoded_video", "dagster/data_version", after)
        assert ours == {key: tags["dagster/data_version"] for key, tags in theirs.items()}
    assert latest_tag_by_partition(house.instance, "encoded_video", "dagster/data_version", 0)["one|two"] == "2"
    # What somebody reports in Dagster's page says no version, and changes no file.
    house.instance.report_runless_asset_event(dg.AssetMaterialization("encoded_video", partition="one|two"))
    assert latest_tag_by_partition(house.instance, "encoded_video", "dagster/data_version", 0)["one|two"] == "2"


def test_of_a_run_that_is_pruned_only_what_it_made_stays_known(house: House) -> None:
    old, newest = ended(house, CLIP, "one|one", made="1"), ended(house, CLIP, "one|one", made="2")
    assert removed(house, 29) == {}
    assert removed(house, 31) == {"runs that ended well": 2}
    assert house.instance.get_run_ids() == []
    kept = house.instance.fetch_materializations(dg.AssetKey("encoded_video"), limit=5).records
    assert [record.event_log_entry.run_id for record in kept] == [newest]
    assert materializations.data_versions(house.instance, house.folders, "encoded_video") == {"one|one": "2"}
    events = [row for table, row in records(house.folders) if table == "event_logs" and "It worked." in row]
    assert events == [] and not [row for table, row in records(house.folders) if table == "event_logs" and old in row]
    assert removed(house, 31) == {}


def test_failures_that_say_why_something_is_failed_stay(house: House) -> None:
    house.make_inputs()
    tried = {"heygem/tried": house.plan().inputs_digest(Subject(Stage.CLIP, "one|one")), **reason_tag(verbatim("No."))}
    needed = ended(house, CLIP, "one|one", DagsterRunStatus.FAILURE, tags=tried)
    house.make_clip("two", "two")
    ended(house, CLIP, "two|two", DagsterRunStatus.FAILURE)
    assert removed(house, 91) == {"failed runs": 1}
    assert list(house.instance.get_run_ids()) == [needed]
    assert house.clip().reason == verbatim("No.") and house.clip("two", "two").state is State.DONE


def test_of_a_voice_that_is_forgotten_no_row_and_no_object_stays(house: House, request: pytest.FixtureRequest) -> None:
    house.replace(NAME, "a voice")
    house.take_in()
    ended(house, VOICE, NAME, made="1")
    clip = house.folders.clip(ClipKey(NAME, "one"))
    clip.parent.mkdir()
    clip.write_bytes(b"clip")
    house.folders.files.publish(clip)
    if house.folders.bucket:
        clip.unlink()
    tags = {"dagster/partition/audio": NAME, "dagster/partition/template": "one"}
    ended(house, CLIP, f"{NAME}|one", made="1", tags=tags)
    other = ended(house, VOICE, "two", made="1")
    assert {table for table, row in records(house.folders) if NAME in row} >= {"event_logs", "asset_check_executions"}
    kept = plan_erasure(house.instance, house.folders, ErasureTarget(NAME, None))
    assert {what: [bytes_of(house.folders, path) for path in paths] for what, paths in kept.files.items()} == {
        "uploads": [7],
        "finished clips": [4],
    }
    erase(house.instance, house.folders, kept)
    assert [row for row in records(house.folders) if NAME in row[1]] == []
    assert [one for one in house.folders.files.below(house.folders.root) if NAME in str(one.path)] == []
    if house.folders.bucket:
        buckets: BucketServer = request.getfixturevalue("bucket")
        keys = buckets.keys(house.folders.bucket.removeprefix("s3://"))
        assert f"audio/{NAME}.wav" not in keys and "audio/one.wav" in keys
        assert [key for key in keys if NAME in key] == []
    assert list(house.instance.get_run_ids()) == [other]


def test_a_backup_restored_elsewhere_has_nothing_made_again(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    house.make_inputs()
    house.make_clip("one", "two")
    run_id = ended(house, CLIP, "two|two", DagsterRunStatus.FAILURE, tags=reason_tag(verbatim("No.")))
    before = dict(house.plan().clips.items())
    back_up(house.folders, tmp_path / "backup.tar")
    house.run(CLIP, "one|one", DagsterRunStatus.SUCCESS)

    if house.folders.database:
        with pytest.raises(OutputRefused) as refused:
            restore(DataFolders(tmp_path / "other", house.folders.database), tmp_path / "backup.tar")
        assert refused.value.code == "backup.database_not_empty" and not (tmp_path / "other").exists()
        server: PostgresServer = request.getfixturevalue("postgres")
        monkeypatch.setenv("HEYGEM_DATABASE", server.create(f"{tmp_path.name}-restored", "dagster"))
    if house.folders.bucket:
        buckets: BucketServer = request.getfixturevalue("bucket")
        buckets.use(buckets.create(f"restored-{tmp_path.name}"[:60]), monkeypatch)
    with data_folder_at(tmp_path / "elsewhere") as there:
        restore(there, tmp_path / "backup.tar")
        assert not list(there.state.glob("*.dump"))
        materializations._known.clear()
        with open_instance(there) as instance:
            assert dict(plan(instance, there, settings()).clips.items()) == before
            assert before[ClipKey("one", "two")].state is State.DONE
            assert list(instance.get_run_ids()) == [run_id]
            take_in_uploads(instance, there)
            assert there.files.fetch(there.clip(ClipKey("one", "two"))).is_file()
            kept = {one.path.relative_to(there.root) for one in there.files.below(there.presenters)}
            assert kept == {Path("templates/one.mp4"), Path("templates/two.mp4")}


def test_a_backup_goes_back_only_to_the_kind_of_storage_it_is_of(house: House, tmp_path: Path) -> None:
    back_up(house.folders, tmp_path / "backup.tar")
    address = "" if house.folders.database else "postgresql+psycopg2://nobody@127.0.0.1:1/nothing"
    with pytest.raises(BackupUnusable) as refused:
        restore(DataFolders(tmp_path / "other", address), tmp_path / "backup.tar")
    assert refused.value.code == ("backup.of_cluster" if house.folders.database else "backup.of_machine")
    assert not (tmp_path / "other").exists()


def test_whoever_watches_sees_that_something_was_recorded(house: House) -> None:
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
    seen = [latest_records(house.instance, house.folders)]
    assert latest_records(house.instance, house.folders) == seen[-1]
    run = house.instance.get_run_by_id(run_id)
    assert run is not None
    house.instance.report_run_failed(run, "It stopped.")
    seen.append(latest_records(house.instance, house.folders))
    house.run(CLIP, "one|two", DagsterRunStatus.NOT_STARTED)
    seen.append(latest_records(house.instance, house.folders))
    assert len(set(seen)) == 3


def test_what_is_under_way_and_its_log_are_told(house: House) -> None:
    house.make_inputs()
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
    assert (house.clip().state, house.clip().run_id) == (State.RUNNING, run_id)
    run = house.instance.get_run_by_id(run_id)
    assert run is not None
    house.instance.report_run_failed(run, "It stopped.")
    assert any("It stopped." in line.message for line in read_log(house.instance, run, follow=False))


def test_registers_hold_what_people_and_sensors_wrote_and_nothing_is_lost_between_two_writers(house: House) -> None:
    house.replace(NAME, "a voice")
    house.take_in()
    note_language(house.folders, NAME, "de")
    before = [house.folders.register(name).mark for name in ("uploads", "requests", "studio-languages")]
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda number: ask_for(house.folders, [f"{NAME}|{number}"]), range(40)))
    assert set(read_requests(house.folders).clips) == {f"{NAME}|{number}" for number in range(40)}
    assert languages_of(house.folders) == {NAME: "de"} and NAME in Uploads(house.folders).known(UploadKind.VOICE)
    after = [house.folders.register(name).mark for name in ("uploads", "requests", "studio-languages")]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]
    written = list(house.folders.state.glob("*.json"))
    assert bool(house.folders.database) == ({"uploads.json", "requests.json"}.isdisjoint(p.name for p in written))


def test_a_change_that_fails_half_way_changes_nothing(house: House) -> None:
    ask_for(house.folders, ["one|one"])
    with pytest.raises(ZeroDivisionError), house.folders.register("requests").changing():
        raise ZeroDivisionError
    ask_for(house.folders, ["one|two"])
    assert read_requests(house.folders).clips == ["one|one", "one|two"]


def test_only_one_controller_runs_wherever_the_data_folder_lies(house: House, tmp_path: Path) -> None:
    there = DataFolders(tmp_path / "mounted elsewhere", house.folders.database)
    with only_runner(house.folders) as lock:
        assert is_served(house.folders)
        child = subprocess.Popen(["sleep", "30"], pass_fds=[lock.descriptor])
        with pytest.raises(AlreadyRunning) as refused, only_runner(there if there.database else house.folders):
            pass
        if there.database:
            assert is_served(there) and refused.value.code == "cluster.in_use"
            assert f"{gethostname()}, process {os.getpid()}" in str(refused.value)
    assert is_served(house.folders)
    child.kill()
    child.wait()
    wait_for(lambda: not is_served(house.folders))
    with only_runner(house.folders):
        pass
    with only_runner(there):
        pass


def test_a_file_that_names_another_database_is_refused(house: House) -> None:
    other = DataFolders(house.folders.root, "" if house.folders.database else "postgresql+psycopg2://host/database")
    with pytest.raises(ClusterUnusable) as refused:
        open_instance(other)
    assert refused.value.code == (
        "cluster.other_database" if house.folders.database else "cluster.database_unreachable"
    )
    assert data_folders() == house.folders
