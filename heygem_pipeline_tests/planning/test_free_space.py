"""A disk that gets full holds new clips back, and nothing else."""

import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.failed_attempts import INTERRUPTIONS
from heygem_pipeline.planning.free_space import lack_of_free_space
from heygem_pipeline.planning.machine_readiness import lack_of_outputs
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.failure_reasons import reason_tag
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.house import CLIP, House
from heygem_pipeline_tests.orchestration.test_sensors import ANALYSES, CLIPS, end_all, set_to, tick

MORE_THAN_ANY_DISK = str(10**9)


@pytest.fixture(autouse=True)
def everything_by_itself(monkeypatch: pytest.MonkeyPatch, house: House) -> None:
    set_to(monkeypatch, automatic="clips", keep_free_gb=MORE_THAN_ANY_DISK)


def test_new_clips_wait_and_say_why_while_uploads_are_analysed(house: House) -> None:
    assert set(tick(house)[0]) == ANALYSES
    end_all(house)
    house.make_inputs()
    house.make_clip("one", "one")
    started, why = tick(house)
    assert started == [] and why is not None
    assert "HEYGEM_KEEP_FREE_GB" in why and "Clips: 3 waiting, 1 done." in why
    assert house.clip("one", "two").reason == lack_of_free_space(house.folders, settings().keep_free_gb)


def test_clips_start_by_themselves_when_there_is_room_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    assert tick(house)[0] == []
    set_to(monkeypatch, keep_free_gb="0")
    assert set(tick(house)[0]) == CLIPS


def test_a_stale_clip_waits_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.make_inputs()
    house.make_clip("one", "one")
    monkeypatch.setenv("HEYGEM_LABEL", "always")
    settings.cache_clear()
    assert house.clip("one", "one").state is State.WAITING


def test_a_clip_that_met_a_full_disk_is_asked_for_again_but_not_without_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.make_inputs()
    full = Message("storage.disk_full", file="one.mp4")
    for _ in range(INTERRUPTIONS):
        assert house.clip().state is State.WAITING
        set_to(monkeypatch, keep_free_gb="0")
        assert house.clip().state is State.READY
        set_to(monkeypatch, keep_free_gb=MORE_THAN_ANY_DISK)
        house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, reason_tag(full))
    assert (house.clip().state, house.clip().reason) == (State.FAILED, full)


def test_status_and_doctor_tell(house: House) -> None:
    house.make_inputs()
    assert "HEYGEM_KEEP_FREE_GB" in heygem("status").stdout
    assert "HEYGEM_KEEP_FREE_GB" in heygem("doctor").stdout.replace("\n", "")


@pytest.mark.parametrize("linked", [False, True], ids=["mounted", "linked"])
def test_clips_on_a_disk_that_is_away_are_not_made_again(
    house: House, linked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to(monkeypatch, keep_free_gb="0")
    outputs, disk = house.folders.outputs, house.folders.root / "disk"
    if linked:
        outputs.rename(disk)
        outputs.symlink_to(disk)
    house.make_inputs()
    house.make_clip()
    house.folders.seen.remember("outputs", outputs)
    moved = disk if linked else outputs
    moved.rename(house.folders.root / "elsewhere")
    if not linked:
        outputs.mkdir()  # what a disk is mounted on
    away = lack_of_outputs(house.folders)
    assert away is not None and (away.code, away.values["count"]) == ("outputs.folder_away", 1)
    assert (house.clip().state, house.clip().reason) == (State.WAITING, away)
    assert house.clip("one", "two").reason == away
    started, why = tick(house)
    assert started == [] and why is not None and str(away) in why
    if not linked:
        outputs.rmdir()
    (house.folders.root / "elsewhere").rename(moved)
    assert house.clip().state is State.DONE
    house.folders.clip(ClipKey("one", "one")).unlink()
    assert house.clip().state is State.READY, "deleted by a person"
