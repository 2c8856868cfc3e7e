"""The graph on a real instance: every asset, their checks, their failures."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow.parquet as pq
import pytest
from dagster._core.event_api import PartitionKeyFilter

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.clip.voice import analyse_voice, save_voice
from heygem_pipeline.lipsync.warp.analysis.lip_record import ROW
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.speech.analysis import ANALYSIS_VERSION
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.fingerprint import fingerprint
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.storage.version_strings import voice_version
from heygem_pipeline_tests.conftest import PRESENTER_FRAMES, swaying_presenter, write_video, write_voice, write_wav

CLIP = ["generated_frames", "encoded_video"]


class Watcher(NoDisplay):
    """Remembers which steps told their progress."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], int] = {}

    def show(self, step: str, partition: str, done: int, total: int) -> None:
        self.seen[step, partition] = done


class House:
    """A data folder with two voices and two presenters, one of each unusable, and its instance."""

    def __init__(self, folders: DataFolders, instance: dg.DagsterInstance) -> None:
        self.folders = folders
        self.instance = instance
        self.watcher = Watcher()
        self.materializer = Materializer(instance, self.watcher, CampaignSpecifications(folders, settings()))
        self.failures = {
            "talk": self.materializer.run(["audio_features"], "talk"),
            "silence": self.materializer.run(["audio_features"], "silence"),
            "张老师": self.materializer.run(["face_tracks"], "张老师"),
            "wall": self.materializer.run(["face_tracks"], "wall"),
            "clip": self.materializer.run(CLIP, multi_partition_key(ClipKey("talk", "张老师"))),
            "no tracks": self.materializer.run(CLIP, multi_partition_key(ClipKey("talk", "wall"))),
            "delivery": self.materializer.run(["delivery"], "talk"),
        }

    def metadata(self, asset: str, partition: str) -> dict[str, object]:
        record = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[partition]), limit=1
        ).records[0]
        assert record.asset_materialization is not None
        return {name: value.value for name, value in record.asset_materialization.metadata.items()}


JPEG = b"\xff\xd8\xff"
"""How every JPEG begins."""


@pytest.fixture(scope="module")
def house(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEYGEM_DATA", str(tmp_path_factory.mktemp("house")))
        patch.setenv("HEYGEM_STATE", "")
        patch.delenv("DAGSTER_HOME", raising=False)
        settings.cache_clear()
        folders = data_folders()
        folders.make()
        write_voice(folders.voices / "talk.wav", 2.4)  # enough to judge whether the mouth follows
        write_wav(folders.voices / "silence.wav", np.zeros(16000))
        shutil.copy(material / "presenter.mp4", folders.presenters / "张老师.mp4")
        (folders.presenters / "wall.mp4").write_bytes(b"no video")
        with open_instance(folders) as instance:
            take_in_uploads(instance, folders)
            yield House(folders, instance)
    settings.cache_clear()


def test_the_good_voice_and_presenter_become_a_clip(house: House) -> None:
    assert [house.failures[name] for name in ("talk", "张老师", "clip", "delivery")] == [None] * 4
    assert house.folders.clip(ClipKey("talk", "张老师")).is_file()
    assert "outputs" in json.loads(house.folders.seen.file.read_text()), "so that a disk that is away can be told"


@pytest.mark.parametrize(("partition", "named"), [("silence", "silence.wav"), ("wall", "wall.mp4")])
def test_bad_input_fails_its_own_partition_in_one_sentence(house: House, partition: str, named: str) -> None:
    sentence = house.failures[partition]
    assert sentence is not None and named in sentence and "\n" not in sentence


def test_what_was_seen_of_the_presenters_lips_is_kept_for_the_next_voice(house: House) -> None:
    assert house.metadata("generated_frames", "talk|张老师")["frames"] == 60
    assert house.folders.lip_record("张老师").stat().st_size > 60 * ROW.itemsize


def test_bad_input_is_not_tried_again(house: House) -> None:
    runs = house.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    retried = [
        record.dagster_event
        for run in runs
        for record in house.instance.all_logs(run.run_id)
        if record.dagster_event is not None and record.dagster_event.event_type_value == "STEP_UP_FOR_RETRY"
    ]
    assert runs and not retried


def test_a_clip_without_its_tracks_says_what_to_make_first(house: House) -> None:
    sentence = house.failures["no tracks"]
    assert sentence is not None and "face_tracks" in sentence
    assert not house.folders.clip(ClipKey("talk", "wall")).exists()


def test_the_upload_and_how_it_is_analysed_are_the_data_version(house: House) -> None:
    record = house.instance.get_latest_data_version_record(dg.AssetKey("audio_features"), partition_key="talk")
    assert record is not None
    tags = record.asset_materialization.tags if record.asset_materialization else None
    assert tags is not None and tags["dagster/data_version"] == voice_version(
        fingerprint(house.folders.voices / "talk.wav"), ANALYSIS_VERSION
    )


@pytest.mark.parametrize(
    ("asset", "partition", "told"),
    [
        ("audio_features", "talk", {"seconds", "speech share", "path"}),
        ("face_tracks", "张老师", {"frame rate", "resolution", "face share", "speed (frames/s)"}),
        ("generated_frames", "talk|张老师", {"frames", "engine", "speed (frames/s)"}),
        ("encoded_video", "talk|张老师", {"filmstrip", "path", "sync offset (frames)", "speed (frames/s)"}),
        ("delivery", "talk", {"clips", "path"}),
    ],
)
def test_the_page_shows_what_an_operator_wants_to_see(house: House, asset: str, partition: str, told: set[str]) -> None:
    assert told <= set(house.metadata(asset, partition))


def test_the_record_names_the_filmstrip_and_the_picture_lies_in_the_store(house: House) -> None:
    markdown = str(house.metadata("encoded_video", "talk|张老师")["filmstrip"])
    assert markdown == "![talk/张老师](filmstrips/talk/%E5%BC%A0%E8%80%81%E5%B8%88.jpg)"
    assert house.folders.filmstrip(ClipKey("talk", "张老师")).read_bytes().startswith(JPEG)


def test_what_is_recorded_of_a_clip_is_small(house: House) -> None:
    for asset in ("generated_frames", "encoded_video"):
        (record,) = house.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=["talk|张老师"]), limit=1
        ).records
        assert len(dg.serialize_value(record.event_log_entry)) < 10_000


def test_checks_are_recorded_for_the_clip(house: House) -> None:
    for name in ("sound_and_picture_agree", "mouth_follows_sound"):
        key = dg.AssetCheckKey(dg.AssetKey("encoded_video"), name)
        history = house.instance.event_log_storage.get_asset_check_execution_history(
            key, limit=5, partition_filter=PartitionKeyFilter(key="talk|张老师")
        )
        assert [record.status.value for record in history] == ["SUCCEEDED"]


def test_progress_is_told_to_the_last_frame(house: House) -> None:
    assert house.watcher.seen["face_tracks", "张老师"] == PRESENTER_FRAMES
    assert house.watcher.seen["generated_frames", "talk|张老师"] == 60
    assert house.watcher.seen["encoded_video", "talk|张老师"] == 60


def test_the_gpu_pool_holds_one_and_is_free_afterwards(house: House) -> None:
    pool = house.instance.event_log_storage.get_concurrency_info("gpu")
    assert (pool.limit, pool.claimed_slots) == (1, [])


def test_the_delivery_holds_the_finished_clips_and_a_manifest(house: House) -> None:
    with zipfile.ZipFile(house.folders.delivery("talk")) as archive:
        assert sorted(archive.namelist()) == ["manifest.csv", "manifest.json", "张老师.mp4"]
        assert archive.read("张老师.mp4") == house.folders.clip(ClipKey("talk", "张老师")).read_bytes()
        finished, missing = json.loads(archive.read("manifest.json"))
    row = finished if finished["template"] == "张老师.mp4" else missing
    assert row["engine"] == "warp" and row["audio_fingerprint"] == fingerprint(house.folders.voices / "talk.wav")
    assert {check["name"] for check in row["checks"]} == {"sound_and_picture_agree", "mouth_follows_sound"}


def test_a_second_clip_does_not_touch_the_first(house: House, material: Path) -> None:
    before = house.folders.clip(ClipKey("talk", "张老师")).read_bytes()
    shutil.copy(material / "presenter.mp4", house.folders.presenters / "other.mp4")
    take_in_uploads(house.instance, house.folders)
    assert house.materializer.run(["face_tracks"], "other") is None
    assert house.materializer.run(CLIP, multi_partition_key(ClipKey("talk", "other"))) is None
    assert house.folders.clip(ClipKey("talk", "张老师")).read_bytes() == before


def test_frames_of_an_older_upload_are_not_encoded(
    house: House, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(material / "voice.wav", house.folders.voices / "changing.wav")
    take_in_uploads(house.instance, house.folders)
    assert house.materializer.run(["audio_features"], "changing") is None

    def analysed_anew(step: str, partition: str, done: int, total: int) -> None:
        if (step, done) == ("generated_frames", total):
            write_voice(house.folders.voices / "changing.wav", 1.0)
            save_voice(analyse_voice(house.folders.voices / "changing.wav"), house.folders.voice("changing"))

    monkeypatch.setattr(house.watcher, "show", analysed_anew)
    sentence = house.materializer.run(CLIP, multi_partition_key(ClipKey("changing", "张老师")))
    assert sentence is not None and "generated_frames" in sentence
    assert not house.folders.clip(ClipKey("changing", "张老师")).exists()


def test_clips_of_an_older_upload_are_not_delivered(house: House) -> None:
    other = house.folders.presenters / "other.mp4"
    write_video(other, swaying_presenter(20))
    take_in_uploads(house.instance, house.folders)
    assert house.materializer.run(["delivery"], "talk") is None
    with zipfile.ZipFile(house.folders.delivery("talk")) as archive:
        assert "other.mp4" not in archive.namelist()
        assert "张老师.mp4" in archive.namelist()


def test_a_delivery_of_nothing_says_what_to_make_first(house: House) -> None:
    sentence = house.materializer.run(["delivery"], "silence")
    assert sentence is not None and "encoded_video" in sentence
    assert not house.folders.delivery("silence").exists()


def test_tracks_of_an_older_version_say_what_to_make_anew(house: House) -> None:
    """As trackers stored them that read no more than 68 points."""
    path = house.folders.tracks("张老师")
    kept, table = path.read_bytes(), pq.read_table(path)
    clip = json.loads(table.schema.metadata[b".face_tracks"])
    del clip["schema"]
    lips = [name for name in table.column_names if name.startswith(("outer_", "inner_", "mouth", "jaw"))]
    older = table.drop_columns(lips).replace_schema_metadata(
        {**table.schema.metadata, b".face_tracks": json.dumps(clip)}
    )
    try:
        pq.write_table(older, path)
        sentence = house.materializer.run(CLIP, multi_partition_key(ClipKey("talk", "张老师")))
    finally:
        path.write_bytes(kept)
    assert sentence is not None and "face_tracks of '张老师' was stored by another version" in sentence
