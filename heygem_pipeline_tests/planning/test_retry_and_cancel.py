"""What people ask of clips: to be tried again, made now, or stopped."""

import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.messages.message import verbatim
from heygem_pipeline.planning.requests import read_requests, withdraw
from heygem_pipeline.planning.retry_and_cancel import cancel, make_missing_now, try_again
from heygem_pipeline.planning.run_requests import settled_requests
from heygem_pipeline.planning.start_order import start_order
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.failure_reasons import CANCELLED, reason_tag
from heygem_pipeline.settings import Automatic
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.house import CLIP, House


@pytest.fixture
def house(house: House) -> House:
    house.make_inputs()
    return house


def test_a_clip_that_was_removed_for_its_age_is_made_again(house: House) -> None:
    house.make_clip()
    house.folders.clip(ClipKey("one", "one")).unlink()
    house.folders.report(ClipKey("one", "one")).rename(house.folders.removed(ClipKey("one", "one")))
    found = house.plan()
    assert found.clips[ClipKey("one", "one")].state is State.REMOVED
    assert try_again(house.folders, found, found.clips) == [ClipKey("one", "one")]
    assert house.clip().state is State.READY and read_requests(house.folders).clips == ["one|one"]


def test_what_failed_is_tried_again_and_what_did_not_is_left_alone(house: House) -> None:
    house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, reason_tag(verbatim("It has no face.")))
    house.make_clip("one", "two")
    found = house.plan()
    assert try_again(house.folders, found, found.clips) == [ClipKey("one", "one")]
    assert house.clip().state is State.READY and house.clip("one", "two").state is State.DONE


def test_only_what_is_missing_is_made_now(house: House) -> None:
    house.make_clip("one", "two")
    house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, reason_tag(verbatim("It has no face.")))
    found = house.plan()
    assert make_missing_now(house.folders, found, found.clips) == [ClipKey("two", "one"), ClipKey("two", "two")]


def test_a_cancelled_clip_waits_until_somebody_asks_for_it(house: House) -> None:
    chosen = [ClipKey("one", "one"), ClipKey("one", "two")]
    assert cancel(house.instance, house.folders, house.plan(), chosen) == []
    found = house.plan()
    assert {found.clips[clip].state for clip in chosen} == {State.FAILED}
    assert found.clips[ClipKey("one", "one")].reason == CANCELLED
    started = start_order(found, read_requests(house.folders), Automatic.CLIPS)
    assert [subject.key for subject in started] == ["two|one", "two|two"]
    try_again(house.folders, found, [ClipKey("one", "two")])
    assert house.clip().state is State.FAILED and house.clip("one", "two").state is State.READY


def test_a_cancelled_clip_is_made_once_its_voice_is_another(house: House) -> None:
    cancel(house.instance, house.folders, house.plan(), [ClipKey("one", "one")])
    assert house.clip().state is State.FAILED
    house.replace("one", "said anew")
    assert house.clip().state is State.WAITING


def test_what_somebody_made_all_the_same_is_no_longer_cancelled(house: House) -> None:
    cancel(house.instance, house.folders, house.plan(), [ClipKey("one", "one")])
    house.make_clip()
    found, requests = house.plan(), read_requests(house.folders)
    assert found.clips[ClipKey("one", "one")].state is State.DONE and list(requests.cancelled) == ["one|one"]
    withdraw(house.folders, settled_requests(found, requests))
    assert read_requests(house.folders).cancelled == {}


def test_a_finished_clip_cannot_be_cancelled(house: House) -> None:
    house.make_clip()
    cancel(house.instance, house.folders, house.plan(), [ClipKey("one", "one")])
    assert house.clip().state is State.DONE and read_requests(house.folders).cancelled == {}
