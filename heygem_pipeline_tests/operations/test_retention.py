"""What is removed, what is kept, and that nothing which is kept is made again."""

import os
from collections.abc import Callable
from pathlib import Path
from time import time

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.definitions import defs
from heygem_pipeline.operations.retention import prune
from heygem_pipeline.operations.retention_files import LARGEST_SERVER_LOG
from heygem_pipeline.orchestration.jobs import prune_job
from heygem_pipeline.orchestration.schedules import prune_schedule
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.status import State
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.registry import UploadKind
from heygem_pipeline_tests.house import CLIP, House

DAY = 24 * 3600.0


def age(path: Path, days: float) -> None:
    then = time() - days * DAY
    os.utime(path, (then, then))


def write(path: Path, content: bytes = b"content", days: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    age(path, days)
    return path


def removed(house: House, **options: float | bool) -> dict[str, int]:
    """Prune, and say how many of what."""
    return {kind.what: kind.count for kind in prune(house.instance, house.folders, settings(), **options)}  # pyright: ignore[reportArgumentType]


Set = Callable[[str, str], None]


@pytest.fixture
def set_to(monkeypatch: pytest.MonkeyPatch) -> Set:
    def set_one(name: str, value: str) -> None:
        monkeypatch.setenv(f"HEYGEM_KEEP_{name.upper()}", value)
        settings.cache_clear()

    return set_one


def make_all(house: House) -> None:
    house.make_inputs()
    for voice in ("one", "two"):
        for presenter in ("one", "two"):
            house.make_clip(voice, presenter)


def files_of(folders: DataFolders) -> set[Path]:
    return {path for place in ("audio", "templates", "store", "outputs") for path in (folders.root / place).rglob("*")}


def test_in_a_house_in_which_everything_is_needed_nothing_is_removed(house: House) -> None:
    make_all(house)
    before = files_of(house.folders)
    assert removed(house) == {}
    assert files_of(house.folders) == before


def test_patches_go_once_their_clip_is_finished_and_a_dry_run_only_says_so(house: House, set_to: Set) -> None:
    make_all(house)
    patches = write(house.folders.patches(ClipKey("one", "two")), b"x" * 5000, days=1)
    set_to("patches_days", "2")
    assert removed(house) == {}
    set_to("patches_days", "0")
    (told,) = prune(house.instance, house.folders, settings(), dry_run=True)
    assert (told.count, told.bytes) == (1, 5000) and patches.exists()
    assert str(told) == "1 mouth patches of finished clips, 0.0 MB (HEYGEM_KEEP_PATCHES_DAYS=0)"
    assert prune(house.instance, house.folders, settings()) == [told]
    assert not patches.exists()
    assert removed(house) == {}


def test_patches_of_a_clip_that_is_not_finished_wait_for_somebody_to_try_again(house: House) -> None:
    house.make_inputs()
    patches = write(house.folders.patches(ClipKey("one", "two")), days=6)
    assert removed(house) == {}
    age(patches, 8)
    assert removed(house) == {"mouth patches of unfinished clips": 1}


@pytest.mark.parametrize("status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED])
def test_what_a_run_needs_stays(house: House, set_to: Set, status: DagsterRunStatus) -> None:
    make_all(house)
    set_to("outputs_days", "1")
    needed = [write(house.folders.patches(ClipKey("one", "two")), days=30), house.folders.clip(ClipKey("one", "one"))]
    age(needed[1], 30)
    age(house.folders.clip(ClipKey("one", "two")), 30)
    run_id = house.run(CLIP, "one|two", status)
    assert removed(house, now=time() + 400 * DAY) == {"finished clips": 2}
    assert all(path.exists() for path in needed) and house.instance.get_run_by_id(run_id) is not None


def test_patches_that_a_run_has_just_made_anew_stay(house: House) -> None:
    make_all(house)
    patches = write(house.folders.patches(ClipKey("one", "two")), days=-1)
    assert removed(house) == {}
    assert patches.exists()


def test_what_is_left_of_an_upload_goes_some_days_after_it_and_uploads_never_do(house: House) -> None:
    make_all(house)
    kept = house.folders.face_encodings, house.folders.lip_record
    encodings = [write(path(presenter)) for path in kept for presenter in ("one", "two")]
    (house.folders.voices / "two.wav").rename(house.folders.root / "away.wav")
    house.take_in()
    features = house.folders.voice("two")
    assert removed(house) == {}
    (house.folders.root / "away.wav").rename(house.folders.voices / "two.wav")
    house.take_in()
    assert removed(house, now=time() + 8 * DAY) == {}
    (house.folders.voices / "two.wav").unlink()
    (house.folders.presenters / "two.mp4").unlink()
    house.take_in()
    assert removed(house, now=time() + 9 * DAY) == {}
    assert removed(house, now=time() + 15 * DAY) == {} and features.exists()
    write(house.folders.presenter_speech("two"))
    assert removed(house, now=time() + 17 * DAY) == {
        "features of voices that are gone": 1,
        "tracks of presenters that are gone": 1,
        "encodings of presenters that are gone": 2,
    }
    assert [path.exists() for path in encodings] == [True, False] * 2
    assert not features.exists() and house.folders.voice("one").exists() and house.folders.tracks("one").exists()
    assert house.folders.clip(ClipKey("two", "two")).exists() and house.folders.report(ClipKey("two", "two")).exists()
    assert len(list(house.folders.voices.iterdir())) == 1


def test_the_pictures_of_an_upload_go_after_it(house: House, set_to: Set) -> None:
    make_all(house)
    set_to("store_days", "0")
    pictures = [
        write(house.folders.first_look(UploadKind.PRESENTER, file).with_suffix(".jpg"))
        for file in ("one.mp4", "that is gone.mp4")
    ]
    assert removed(house) == {"first looks at uploads that are gone": 1}
    assert [picture.exists() for picture in pictures] == [True, False]


def test_reports_and_filmstrips_follow_their_clip(house: House, set_to: Set) -> None:
    make_all(house)
    write(house.folders.filmstrip(ClipKey("one", "one")))
    write(house.folders.filmstrip(ClipKey("one", "two")))
    house.folders.clip(ClipKey("one", "one")).unlink()
    set_to("store_days", "0")
    assert removed(house) == {"reports and filmstrips of clips that are gone": 2}
    assert (
        not house.folders.report(ClipKey("one", "one")).exists()
        and house.folders.report(ClipKey("one", "two")).exists()
    )


def test_outputs_stay_for_ever_unless_a_limit_is_set_and_then_go_by_voice(house: House, set_to: Set) -> None:
    make_all(house)
    for voice in ("one", "two"):
        house.make_delivery(voice)
        age(house.folders.clip(ClipKey(voice, "one")), 400)
        age(house.folders.delivery(voice), 400)
    age(house.folders.clip(ClipKey("one", "two")), 31)
    foreign = write(house.folders.root / "outputs" / "one" / "notes.mp4", days=400)
    assert removed(house) == {}
    set_to("outputs_days", "30")
    assert removed(house) == {"finished clips": 2, "ZIPs": 1}
    assert (
        foreign.exists()
        and house.folders.clip(ClipKey("two", "one")).exists()
        and house.folders.delivery("two").exists()
    )
    assert removed(house) == {}


def remove_outputs_of_one(house: House, set_to: Set) -> None:
    make_all(house)
    house.make_delivery("one")
    for presenter in ("one", "two"):
        age(house.folders.clip(ClipKey("one", presenter)), 31)
    set_to("outputs_days", "30")
    removed(house)


def test_removed_clips_are_not_made_again_by_themselves_and_say_why(house: House, set_to: Set) -> None:
    remove_outputs_of_one(house, set_to)
    found = house.plan()
    assert found.counts == {State.REMOVED: 2, State.DONE: 2}
    assert "HEYGEM_KEEP_OUTPUTS_DAYS" in str(found.clips[ClipKey("one", "one")].reason)
    assert not found.deliveries["one"].to_be_made
    set_to("outputs_days", "1000")
    assert house.plan().counts == found.counts


def test_removed_clips_are_made_again_when_an_input_changes(house: House, set_to: Set) -> None:
    remove_outputs_of_one(house, set_to)
    house.replace("one", "other words")
    house.make_inputs()
    assert house.plan().counts == {State.READY: 2, State.DONE: 2}


def test_a_new_clip_of_a_voice_whose_clips_were_removed_is_delivered_with_the_reason(house: House, set_to: Set) -> None:
    remove_outputs_of_one(house, set_to)
    (house.folders.presenters / "three.mp4").write_bytes(b"presenter three")
    house.take_in()
    house.make_inputs()
    house.make_clip("one", "three")
    assert house.plan().deliveries["one"].to_be_made
    unfinished = CampaignSpecifications(house.folders, settings()).delivery_spec(house.instance, "one").unfinished
    assert unfinished["three"] == "" and "HEYGEM_KEEP_OUTPUTS_DAYS" in unfinished["one"]


def test_a_prune_that_was_killed_between_two_steps_is_finished_by_the_next(house: House, set_to: Set) -> None:
    make_all(house)
    house.folders.report(ClipKey("one", "one")).rename(house.folders.removed(ClipKey("one", "one")))
    for presenter in ("one", "two"):
        age(house.folders.clip(ClipKey("one", presenter)), 31)
    set_to("outputs_days", "30")
    assert removed(house) == {"finished clips": 2}
    assert house.plan().counts == {State.REMOVED: 2, State.DONE: 2}


def test_half_written_files_of_killed_runs_go_after_a_day(house: House) -> None:
    old = write(house.folders.root / "store" / "generated_frames" / "one" / ".writing-0.parquet", days=1.1)
    new = write(house.folders.root / "outputs" / "one" / ".writing-1.mp4", days=0.5)
    assert removed(house) == {"half-written files of killed runs": 1}
    assert not old.exists() and new.exists()


def test_the_log_of_page_and_daemon_is_emptied_while_they_write_to_it(house: House) -> None:
    with house.folders.server_log.open("ab") as log:
        log.write(b"early\n" + b"." * LARGEST_SERVER_LOG)
        log.flush()
        assert removed(house) == {"old lines of dagster.log": 1}
        log.write(b"late\n")
    assert house.folders.server_log.read_bytes() == b"late\n"
    assert house.folders.server_log.with_name("dagster.log.1").read_bytes().startswith(b"early\n")


def test_the_nightly_job_says_what_it_removed(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    make_all(house)
    write(house.folders.patches(ClipKey("one", "two")), days=1)
    assert prune_job.execute_in_process(instance=house.instance).success
    assert "Removed: 1 mouth patches of finished clips" in capfd.readouterr().err
    assert prune_schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert defs.resolve_schedule_def("prune").job_name == "prune" and defs.resolve_job_def("prune") is not None


def test_recordings_of_scripts_go_some_days_after_their_script_and_not_before(house: House, set_to: Set) -> None:
    folders = house.folders
    folders.scripts.mkdir(exist_ok=True)
    (folders.scripts / "lesson.txt").write_text("Good morning.")
    house.take_in()
    spoken = [folders.spoken("lesson"), folders.transcript("lesson"), folders.subtitles("lesson")]
    for path in [*spoken, folders.voice("lesson")]:
        write(path, days=100)
    assert removed(house) == {}
    (folders.scripts / "lesson.txt").unlink()
    house.take_in()
    assert removed(house) == {}
    set_to("store_days", "0")
    assert removed(house) == {"recordings of scripts that are gone": 3, "features of voices that are gone": 1}
    assert not any(path.exists() for path in spoken)
