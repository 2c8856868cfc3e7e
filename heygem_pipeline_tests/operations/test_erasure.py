"""Forgetting a clip, a voice or a presenter."""

import json
import zipfile
from pathlib import Path

import pytest
from dagster import DagsterRunStatus
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.errors import InUse, UploadMissing
from heygem_pipeline.operations.erasure import ErasurePlan, ErasureTarget, erase, plan_erasure
from heygem_pipeline.planning.requests import ask_for, forgive, read_requests
from heygem_pipeline.planning.status import State
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.registry import UploadKind
from heygem_pipeline_tests.house import CLIP, PRESENTER, VOICE, House


@pytest.fixture
def full(house: House) -> House:
    """Four finished clips with all that is kept of them, and a ZIP a voice."""
    house.make_inputs()
    for voice in ("one", "two"):
        for presenter in ("one", "two"):
            house.make_clip(voice, presenter)
            for path in (
                house.folders.patches(ClipKey(voice, presenter)),
                house.folders.filmstrip(ClipKey(voice, presenter)),
            ):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            house.folders.face_encodings(presenter).parent.mkdir(exist_ok=True)
            house.folders.face_encodings(presenter).touch()
            house.folders.lip_record(presenter).touch()
        with zipfile.ZipFile(house.folders.delivery(voice), "w") as archive:
            archive.writestr("manifest.json", json.dumps([{"output": "one.mp4"}, {"output": "two.mp4"}]))
    return house


def files(folders: DataFolders) -> set[str]:
    """Everything but Dagster's own."""
    paths = (path for path in folders.root.rglob("*") if path.is_file() and not path.is_relative_to(folders.state))
    return {path.relative_to(folders.root).as_posix() for path in paths if path.parent.name != "logs"}


def erase_whole(house: House, target: ErasureTarget) -> ErasurePlan:
    kept = plan_erasure(house.instance, house.folders, target)
    erase(house.instance, house.folders, kept)
    return kept


def test_of_a_clip_nothing_stays_and_it_is_made_again(full: House) -> None:
    before = files(full.folders)
    erase_whole(full, ErasureTarget("one", "two"))
    assert before - files(full.folders) == {
        "outputs/one/two.mp4",
        "outputs/one.zip",
        "store/generated_frames/one/two.parquet",
        "store/clip_reports/one/two.json",
        "store/filmstrips/one/two.jpg",
    }
    assert full.clip("one", "two").state is State.READY and full.plan().counts[State.DONE] == 3


def test_of_a_voice_nothing_stays_but_what_the_presenters_share(full: House) -> None:
    erase_whole(full, ErasureTarget("one", None))
    assert {name for name in files(full.folders) if "one" in name} == {
        "templates/one.mp4",
        "store/face_tracks/one.parquet",
        "store/face_encodings/one.latents",
        "store/face_encodings/one.lips",
        "outputs/two/one.mp4",
        "store/generated_frames/two/one.parquet",
        "store/clip_reports/two/one.json",
        "store/filmstrips/two/one.jpg",
    }
    assert full.instance.get_dynamic_partitions(UploadKind.VOICE.value) == ["two"]
    assert full.instance.get_dynamic_partitions(UploadKind.PRESENTER.value) == ["one", "two"]
    assert not [path for path in full.folders.root.rglob("one") if path.is_dir()]


def test_of_a_presenter_nothing_stays_in_any_voices_folder_or_zip(full: House) -> None:
    erase_whole(full, ErasureTarget(None, "two"))
    assert {name for name in files(full.folders) if name.rpartition("/")[2].startswith("two")} == {
        "audio/two.wav",
        "store/audio_features/two.parquet",
    }
    assert full.folders.face_encodings("one").exists()
    assert not list((full.folders.root / "outputs").glob("*.zip"))
    assert full.plan().clips.keys() == {ClipKey("one", "one"), ClipKey("two", "one")}


def test_of_an_upload_no_picture_stays(full: House) -> None:
    theirs = full.folders.first_look(UploadKind.PRESENTER, "two.mp4")
    another = full.folders.first_look(UploadKind.PRESENTER, "one.mp4")
    pictures = [place.with_suffix(ending) for place in (theirs, another) for ending in (".jpg", ".trouble.jpg")]
    theirs.parent.mkdir(parents=True)
    for picture in pictures:
        picture.touch()
    erase_whole(full, ErasureTarget(None, "two"))
    assert [picture.exists() for picture in pictures] == [False, False, True, True]


def test_of_a_photograph_the_choice_that_it_moves_goes_too(full: House) -> None:
    (full.folders.presenters / "photo.png").write_bytes(b"picture")
    full.take_in()
    sidecar = full.folders.presenters / "photo.yaml"
    assert sidecar.read_text() == "moving: true\n"
    erase_whole(full, ErasureTarget(None, "photo"))
    assert not sidecar.exists()


def test_a_zip_that_never_held_the_presenter_stays(full: House) -> None:
    full.folders.clip(ClipKey("one", "two")).unlink()
    with zipfile.ZipFile(full.folders.delivery("one"), "w") as archive:
        archive.writestr("manifest.json", json.dumps([{"output": "one.mp4"}]))
    erase_whole(full, ErasureTarget(None, "two"))
    assert full.folders.delivery("one").exists() and not full.folders.delivery("two").exists()


def test_records_and_requests_of_others_stay(full: House) -> None:
    run_ids = {
        (kind, key): full.run(assets, key, DagsterRunStatus.FAILURE, tags)
        for kind, assets, key, tags in (
            ("clip", CLIP, "one|two", {"dagster/partition/audio": "one", "dagster/partition/template": "two"}),
            ("clip", CLIP, "two|one", {"dagster/partition/audio": "two", "dagster/partition/template": "one"}),
            ("voice", VOICE, "two", {}),
            ("presenter", PRESENTER, "two", {}),
        )
    }
    ask_for(full.folders, ["one|two", "two|one"])
    forgive(full.folders, ["voice two", "presenter two", "clip one|two"])
    erase_whole(full, ErasureTarget(None, "two"))
    left = {run.run_id for run in full.instance.get_runs()}
    assert left == {run_ids["clip", "two|one"], run_ids["voice", "two"]}
    requests = read_requests(full.folders)
    assert requests.clips == ["two|one"] and set(requests.forgiven) == {"voice two"}


def test_a_failure_is_forgotten_with_its_clip(full: House) -> None:
    full.folders.clip(ClipKey("one", "two")).unlink()
    full.run(CLIP, "one|two", DagsterRunStatus.CANCELED)
    assert full.clip("one", "two").state is State.FAILED
    erase_whole(full, ErasureTarget("one", "two"))
    assert full.clip("one", "two").state is State.READY


@pytest.mark.parametrize("status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED])
def test_nothing_is_deleted_while_a_run_works_on_it(full: House, status: DagsterRunStatus) -> None:
    before = files(full.folders)
    kept = plan_erasure(full.instance, full.folders, ErasureTarget("one", None))
    full.run(VOICE, "one", status)
    with pytest.raises(InUse, match="heygem cancel 'one'"):
        erase(full.instance, full.folders, kept)
    assert files(full.folders) == before


def test_a_clip_that_was_made_since_it_was_listed_goes_too(full: House) -> None:
    full.folders.clip(ClipKey("one", "two")).unlink()
    kept = plan_erasure(full.instance, full.folders, ErasureTarget(None, "two"))
    full.make_clip("one", "two")
    erase(full.instance, full.folders, kept)
    assert not full.folders.clip(ClipKey("one", "two")).exists()


def test_what_is_left_of_an_upload_that_is_gone_can_be_forgotten(full: House) -> None:
    (full.folders.presenters / "two.mp4").unlink()
    full.take_in()
    erase_whole(full, ErasureTarget(None, "two"))
    with pytest.raises(UploadMissing, match="Nothing is kept of the presenter two"):
        erase_whole(full, ErasureTarget(None, "two"))


def test_a_link_is_removed_and_not_what_it_points_to(full: House, tmp_path: Path) -> None:
    mine = tmp_path / "mine.mp4"
    (full.folders.presenters / "two.mp4").rename(mine)
    (full.folders.presenters / "two.mp4").symlink_to(mine)
    full.take_in()
    erase_whole(full, ErasureTarget(None, "two"))
    assert mine.exists() and not (full.folders.presenters / "two.mp4").is_symlink()


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc/passwd", "*", "~", "a\0b", "a|b", "one.zip"])
def test_a_path_or_a_pattern_names_nothing(name: str) -> None:
    for voice, presenter in ((name, None), (None, name), (name, "one"), ("one", name)):
        with pytest.raises(UploadMissing):
            ErasureTarget(voice, presenter)


@given(st.text())
def test_every_upload_that_was_taken_in_can_be_named(stem: str) -> None:
    assert ErasureTarget(partition_key(stem), None).voice == partition_key(stem)


def test_of_a_script_nothing_stays_and_of_a_recording_no_script_goes(full: House) -> None:
    folders = full.folders
    folders.scripts.mkdir(exist_ok=True)
    for name in ("lesson.txt", "other.txt"):
        (folders.scripts / name).write_text("Good morning.")
    full.take_in()
    for key in ("lesson", "other"):
        for path in (folders.spoken(key), folders.transcript(key), folders.subtitles(key), folders.voice(key)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    before = files(folders)
    kept = erase_whole(full, ErasureTarget("lesson", None))
    assert before - files(folders) == {
        "scripts/lesson.txt",
        "store/spoken_scripts/lesson.wav",
        "store/spoken_scripts/lesson.json",
        "store/spoken_scripts/lesson.vtt",
        "store/audio_features/lesson.parquet",
    }
    assert len(kept.files["recordings of scripts"]) == 3
    assert "lesson" not in full.instance.get_dynamic_partitions("audio")
    erase_whole(full, ErasureTarget("one", None))
    assert {"scripts/other.txt", "store/spoken_scripts/other.wav"} <= files(folders)


def test_the_text_of_a_recording_goes_with_it_and_not_with_another_of_its_name(full: House) -> None:
    folders = full.folders
    for name in ("one.srt", "one.txt", "two.srt"):
        (folders.voices / name).write_text("1\n00:00:00,000 --> 00:00:01,000\nOne.\n")
    for suffix in (".srt", ".vtt"):
        folders.voice_text("one", suffix).parent.mkdir(parents=True, exist_ok=True)
        folders.voice_text("one", suffix).touch()
    before = files(folders)
    erase_whole(full, ErasureTarget("one", None))
    gone = before - files(folders)
    assert {"audio/one.srt", "audio/one.txt", "store/subtitles/one.srt", "store/subtitles/one.vtt"} <= gone
    assert "audio/two.srt" not in gone

    (folders.voices / "two.mp3").write_bytes(b"another of its name")
    full.take_in()
    erase_whole(full, ErasureTarget("two", None))
    assert (folders.voices / "two.srt").exists()
