"""When the ZIP of a voice is made, and made again."""

from functools import partial

import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.assets.specifications import DeliverySpec
from heygem_pipeline.messages.message import Message, verbatim
from heygem_pipeline.planning import delivery_contents
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.status import DONE, State, Status
from heygem_pipeline.runs.failure_reasons import reason_tag
from heygem_pipeline.runs.materializations import ClipFiles, data_versions
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.clip_table import ClipTable
from heygem_pipeline_tests.house import CLIP, DELIVERY, House


def delivery(house: House) -> State:
    return house.plan().deliveries["one"].state


def test_a_delivery_waits_until_all_wanted_clips_of_the_voice_are_made(house: House) -> None:
    house.make_inputs()
    house.make_clip("one", "one")
    assert delivery(house) is State.WAITING
    house.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    assert delivery(house) is State.WAITING
    house.instance.delete_run(house.instance.get_runs()[0].run_id)
    house.make_clip("one", "two")
    assert delivery(house) is State.READY
    house.make_delivery()
    assert delivery(house) is State.DONE


def test_a_clip_that_failed_does_not_hold_the_delivery_up(house: House) -> None:
    house.make_inputs()
    house.make_clip("one", "one")
    tags = reason_tag(verbatim("No face.")) | {"heygem/tried": inputs_digest(house)}
    house.run(CLIP, "one|two", DagsterRunStatus.FAILURE, tags)
    assert delivery(house) is State.READY
    assert order(house).unfinished == {"one": "", "two": "No face."}


def test_a_voice_without_a_finished_clip_has_nothing_to_deliver(house: House) -> None:
    house.make_inputs()
    for presenter in ("one", "two"):
        house.run(CLIP, f"one|{presenter}", DagsterRunStatus.CANCELED)
    status = house.plan().deliveries["one"]
    assert (status.state, str(status.reason)) == (State.WAITING, "None of its clips is finished.")


def test_a_clip_made_again_makes_the_delivery_stale(house: House) -> None:
    delivered(house)
    made_again = house.folders.clip(ClipKey("one", "two"))
    made_again.unlink()
    assert delivery(house) is State.WAITING
    house.make_clip("one", "two")
    assert delivery(house) is State.STALE


def test_other_wishes_make_the_delivery_stale(house: House) -> None:
    delivered(house)
    campaign(house, "delivery: {report: yes}")
    assert delivery(house) is State.STALE


def test_a_deleted_delivery_is_made_again(house: House) -> None:
    delivered(house)
    house.folders.delivery("one").unlink()
    assert delivery(house) is State.READY


def test_a_delivery_that_failed_waits_until_something_changes(house: House) -> None:
    delivered(house)
    house.folders.delivery("one").unlink()
    why = Message("run.unexpected", error="It is odd.")
    what = reason_tag(why) | {"heygem/tried": house.plan().inputs_digest(Subject(Stage.DELIVERY, "one"))}
    house.run(DELIVERY, "one", DagsterRunStatus.FAILURE, what)
    assert house.plan().deliveries["one"].reason == why
    house.folders.clip(ClipKey("one", "two")).unlink()
    house.make_clip("one", "two")
    assert delivery(house) is State.READY


def test_one_zip_holds_what_any_campaign_asks_for(house: House) -> None:
    house.make_inputs()
    campaign(house, "delivery: {report: yes}")
    campaign(house, "delivery: {voice: yes, named_by_language: yes}", "second", "{voice: one, language: de}")
    wished = order(house)
    assert (wished.report, wished.filmstrips, wished.voice, wished.language) == (True, False, True, "de")


def test_a_reason_worded_anew_makes_no_zip_again_and_another_reason_does(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(house)
    order_with = partial(version_with, house)
    few, fewer = (Message("face.rarely_seen", file="a.mp4", share=share, needed=0.5) for share in (0.1, 0.101))
    before = order_with(few)
    assert str(few) == str(fewer) and order_with(fewer) != before
    monkeypatch.setattr("heygem_pipeline.messages.message.sentences", lambda _language: {})
    assert order_with(few) == before != order_with(Message("run.unread"))


def version_with(house: House, reason: Message) -> str:
    found = house.plan()
    clips = ClipTable({"one": {"one": Status(State.FAILED, reason), "two": DONE}})
    made = data_versions(house.instance, house.folders, "encoded_video")
    return delivery_contents.delivery_spec(
        ClipFiles.of_voice(house.folders, "one").mark, "one", clips, found.wanting, made, None
    ).version


def order(house: House) -> DeliverySpec:
    return CampaignSpecifications(house.folders, settings()).delivery_spec(house.instance, "one")


def delivered(house: House) -> None:
    house.make_inputs()
    for presenter in ("one", "two"):
        house.make_clip("one", presenter)
    house.make_delivery()
    assert delivery(house) is State.DONE


def campaign(house: House, more: str, name: str = "autumn", voice: str = "one") -> None:
    (house.folders.campaigns / f"{name}.yaml").write_text(f'voices: [{voice}]\npresenters: "*"\n{more}\n')


def inputs_digest(house: House) -> str:
    return house.plan().inputs_digest(Subject(Stage.CLIP, "one|two"))
