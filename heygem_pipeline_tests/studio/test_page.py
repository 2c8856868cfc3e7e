"""What the page does under people's hands, in a real browser, over clips that are made up."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.campaigns.campaigns_folder import ONLY_CAMPAIGNS
from heygem_pipeline.clip.sidecar import read_sidecar, read_trim
from heygem_pipeline.media.trim import WHOLE, Trim
from heygem_pipeline.messages.message import Message
from heygem_pipeline.runs.data_folder_lock import only_runner
from heygem_pipeline.runs.failure_reasons import reason_tag
from heygem_pipeline.runs.progress import Progress, write_progress
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.studio.first_look_worker import FirstLooks
from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice
from heygem_pipeline_tests.house import CLIP, PRESENTER, House
from heygem_pipeline_tests.studio.conftest import DESKTOP, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.server

Opener = Callable[..., "Page"]


@pytest.fixture
def finished(house: House, tmp_path: Path) -> House:
    """The clip one/one is finished, and plays."""
    write_video(house.folders.root / "shown.mp4", swaying_presenter(16))
    house.make_inputs()
    house.make_clip("one", "one")
    clip = house.folders.root / "outputs" / "one" / "one.mp4"
    (house.folders.root / "shown.mp4").replace(clip)
    touch_strip(house, "one", "one")
    return house


def touch_strip(house: House, voice: str, presenter: str) -> None:
    strip = house.folders.filmstrip(ClipKey(voice, presenter))
    strip.parent.mkdir(parents=True, exist_ok=True)
    strip.touch()


def test_the_first_press_plays_and_back_closes_the_player(
    finished: House, address_of_house: str, open_page: Opener
) -> None:
    page = open_page(address_of_house, PHONE, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="one with one: Finished, press to play").tap()
    playing = (
        "() => !document.querySelector('.clip-video video').paused || document.querySelector('.clip-video video').ended"
    )
    page.wait_for_function(playing)
    link = page.url
    assert "clip=one%7Cone" in link
    page.go_back()
    page.locator("dialog[open]").wait_for(state="detached")
    assert page.url == address_of_house
    page.go_forward()
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_url(address_of_house)
    # From a link, Back leads to the page too; and nothing plays that nobody pressed.
    linked = open_page(link, PHONE)
    linked.locator("dialog[open] .clip-video video").wait_for()
    assert linked.evaluate("document.querySelector('.clip-video video').paused")
    linked.go_back()
    linked.locator("dialog[open]").wait_for(state="detached")
    assert linked.url == address_of_house


def test_a_note_is_seen_above_the_player_and_the_log_opens_into_view(
    finished: House, address_of_house: str, open_page: Opener
) -> None:
    finished.run(CLIP, "one|one", DagsterRunStatus.SUCCESS)
    page = open_page(address_of_house, {"width": 390, "height": 500})
    page.get_by_role("button", name="one with one: Finished").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy link").click()
    # Only what lies in the open dialog is above it, and is read out.
    dialog.locator(".toast").wait_for()
    dialog.get_by_text("What happened (log)").click()
    page.wait_for_function(
        "() => document.querySelector('.log-body').getBoundingClientRect().bottom <= innerHeight"
        " && document.querySelector('.log-body').childElementCount"
    )


def test_a_file_on_the_wrong_zone_is_offered_on_the_right_one(
    finished: House, address_of_house: str, open_page: Opener, tmp_path: Path
) -> None:
    write_voice(tmp_path / "lesson.wav", 1.0)
    page = open_page(address_of_house)
    page.locator("[data-kind=presenters] input[type=file]").set_input_files(tmp_path / "lesson.wav")
    page.get_by_text("lesson.wav is a recording, not a presenter.").wait_for()
    with page.expect_response("**/api/v1/voices/lesson.wav"):
        page.get_by_role("button", name="Bring it in as a voice").click()
    page.locator("[data-kind=voices] .card", has_text="lesson.wav").wait_for()
    assert page.locator("[data-kind=presenters] .card", has_text="lesson.wav").count() == 0
    assert (finished.folders.voices / "lesson.wav").is_file()


def test_before_the_state_is_known_nothing_is_asked_for(
    finished: House, address_of_house: str, open_page: Opener
) -> None:
    page = open_page(address_of_house)
    page.route("**/api/shown", lambda route: None)
    page.reload(wait_until="domcontentloaded")
    page.wait_for_function("() => document.getElementById('go').textContent")
    assert page.locator("#sum").inner_text() == ""
    assert page.get_by_text("Your clips will appear here").is_hidden()


def test_time_is_left_only_where_something_is_made(finished: House, address_of_house: str, open_page: Opener) -> None:
    run = finished.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    write_progress(finished.folders, run, Progress("generated_frames", 60, 120, 0.0, 2.0))
    page = open_page(address_of_house)
    page.locator(".cell[data-kind=running]").wait_for()
    assert "left" not in page.locator("#progress-words").inner_text()
    assert page.get_by_role("status").get_by_text("Nothing is being made now").is_visible()


def test_a_presenter_that_is_looked_at_says_how_far(finished: House, address_of_house: str, open_page: Opener) -> None:
    (finished.folders.presenters / "two.mp4").write_bytes(b"other")
    finished.take_in()
    run = finished.run(PRESENTER, "two", DagsterRunStatus.STARTED)
    write_progress(finished.folders, run, Progress("face_tracks", 42, 100, 0.0, 2.0))
    with only_runner(finished.folders):
        page = open_page(address_of_house)
        page.locator("[data-kind=presenters] .card", has_text="two.mp4").get_by_text("42 %").wait_for()


def test_to_cancel_is_offered_once(finished: House, address_of_house: str, open_page: Opener) -> None:
    page = open_page(address_of_house)
    page.locator("#batch-actions").get_by_role("button", name="Cancel").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("heading").inner_text() == "Stop making these clips?"
    assert [button.inner_text() for button in dialog.get_by_role("button").all()] == [
        "Go on making them",
        "Cancel 3 clips",
    ]


def test_the_tab_says_how_far_it_is_and_a_notification_that_it_is_done(
    finished: House, address_of_house: str, open_page: Opener
) -> None:
    (finished.folders.campaigns / "autumn.yaml").write_text('title: Autumn\nvoices: one\npresenters: "*"\n')
    run = finished.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    write_progress(finished.folders, run, Progress("generated_frames", 60, 120, 0.0, 2.0))
    with only_runner(finished.folders):
        page = open_page(address_of_house)
        # As if somebody had gone to another tab, and had allowed notifications.
        page.add_init_script(
            """window.told = [];
            window.Notification = class { constructor(title, more) { told.push(`${title}: ${more.body}`); } };
            Notification.permission = "granted";
            Object.defineProperty(document, "hidden", { get: () => window.away === true });"""
        )
        page.reload()
        page.wait_for_function("() => document.title === '1/2 · Studio'")
        assert str(page.locator("link[rel=icon]").get_attribute("href")).startswith("data:image/svg+xml")
        page.evaluate("window.away = true")
        touch_strip(finished, "one", "two")
        finished.make_clip("one", "two")
        finished.instance.delete_run(run)
        page.wait_for_function("() => document.title === '✓ Studio'")
        assert page.evaluate("told") == ["Autumn: All 2 clips are finished"]
        page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_function("() => document.title === 'Studio'")


def test_a_failed_clip_offers_to_replace_its_presenter_and_says_what_becomes_out_of_date(
    finished: House, address_of_house: str, open_page: Opener, tmp_path: Path
) -> None:
    (finished.folders.presenters / "one.mp4").write_bytes(b"other")
    finished.take_in()
    reason = Message("face.turned_away", file="one.mp4", degrees=35.0, share=0.9, sidecar="one.yaml")
    finished.run(PRESENTER, "one", DagsterRunStatus.FAILURE, reason_tag(reason))
    write_video(tmp_path / "better.mp4", swaying_presenter(16))
    page = open_page(address_of_house)
    page.get_by_role("button", name="two with one: Failed").click()
    dialog = page.locator("dialog#clip")
    dialog.get_by_text("it can be made anyway").wait_for()
    with page.expect_file_chooser() as choosing:
        dialog.get_by_role("button", name="Replace the presenter").click()
    choosing.value.set_files(tmp_path / "better.mp4")
    question = page.locator("dialog#question")
    question.get_by_text("better.mp4 takes the place of one.mp4.").wait_for()
    with page.expect_response("**/api/v1/presenters/better.mp4?replace=one"):
        question.get_by_role("button", name="Replace", exact=True).click()
    assert (finished.folders.presenters / "one.mp4").read_bytes() == (tmp_path / "better.mp4").read_bytes()
    page.keyboard.press("Escape")
    # The clip of the other presenter stays; one that is finished is named before.
    touch_strip(finished, "two", "two")
    finished.make_clip("two", "two")
    page.get_by_role("button", name="two with two: Finished").wait_for()
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Replace two.mp4?").click()
    choosing.value.set_files(tmp_path / "better.mp4")
    assert "1 finished clip is then out of date" in question.inner_text() and "two × two" in question.inner_text()
    question.get_by_role("button", name="Keep").click()


def test_a_turned_head_is_made_anyway_when_somebody_presses(
    finished: House, address_of_house: str, open_page: Opener
) -> None:
    (finished.folders.presenters / "two.mp4").write_bytes(b"other")
    finished.take_in()
    reason = Message("face.turned_away", file="two.mp4", degrees=35.0, share=0.9, sidecar="two.yaml")
    finished.run(PRESENTER, "two", DagsterRunStatus.FAILURE, reason_tag(reason))
    page = open_page(address_of_house)
    card = page.locator("[data-kind=presenters] .card", has_text="two.mp4")
    card.get_by_role("button", name="Make it anyway").click()
    page.get_by_text("It is made anyway").wait_for()
    card.get_by_role("button", name="Make it anyway").wait_for(state="detached")
    assert read_sidecar(finished.folders.presenters / "two.mp4").make_anyway


def changing_a_batch(finished: House, address_of_house: str, open_page: Opener) -> "tuple[Page, Locator]":
    """The page, and its dialog for a batch of one clip that is finished."""
    (finished.folders.campaigns / "autumn.yaml").write_text("title: Autumn\nvoices: one\npresenters: one\n")
    page = open_page(address_of_house)
    page.get_by_role("button", name="Change this batch").click()
    return page, page.locator("dialog#question")


def test_another_quality_is_made_beside_what_is_finished(
    finished: House, address_of_house: str, open_page: Opener
) -> None:
    page, dialog = changing_a_batch(finished, address_of_house, open_page)
    dialog.get_by_label("Quality").select_option("best")
    dialog.get_by_label("Keep the finished clips").check()
    dialog.get_by_text("1 finished clip stays as an earlier version").wait_for()
    dialog.get_by_role("button", name="Change it").click()
    page.locator("#matrix [data-clip='one|one']").click()
    kept = page.locator("#clip .earlier li")
    kept.get_by_text("Earlier version 1").wait_for()
    with page.expect_download() as downloaded:
        kept.get_by_role("link", name="Download earlier version 1").click()
    assert downloaded.value.suggested_filename == "one - one (earlier 1).mp4"
    kept.get_by_role("button", name="Delete earlier version 1").click()
    page.locator("dialog#question").get_by_role("button", name="Delete").click()
    kept.wait_for(state="detached")
    assert list((finished.folders.outputs / "one" / "earlier").iterdir()) == []


def test_a_batch_gets_another_name_and_quality_in_the_page(
    finished: House, address_of_house: str, open_page: Opener
) -> None:
    page, dialog = changing_a_batch(finished, address_of_house, open_page)
    dialog.get_by_label("Name of this batch").fill("Winter term")
    assert "Only the name changes" in dialog.inner_text()
    dialog.get_by_label("Quality").select_option("best")
    dialog.get_by_text("Its 1 finished clip is made again").wait_for()
    dialog.get_by_text("Names of downloaded files").click()
    dialog.get_by_label("Pattern").fill("{presenter} {voice}")
    dialog.get_by_role("button", name="Change it").click()
    page.get_by_role("heading", name="Winter term").wait_for()
    page.locator("#batch-sub", has_text="Best").wait_for()
    assert [path.name for path in finished.folders.campaigns.glob("*.yaml")] == ["Winter term.yaml"]
    assert page.evaluate("localStorage.getItem('studio-names')") == "{presenter} {voice}"


def test_a_part_of_a_voice_is_chosen_by_the_player_and_what_becomes_out_of_date_is_said_before(
    house: House, address_of_house: str, open_page: Opener
) -> None:
    write_voice(house.folders.voices / "one.wav", 2.0)
    house.take_in()
    house.make_inputs()
    house.make_clip()
    touch_strip(house, "one", "one")
    page = open_page(address_of_house, PHONE)
    page.get_by_role("button", name="Use a part of one.wav").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("1 finished clip is then out of date").wait_for()
    assert dialog.locator(".names").inner_text() == "one × one"
    page.evaluate(
        "() => new Promise((done) => { const player = document.querySelector('dialog audio');"
        " player.onseeked = done; player.currentTime = 0.3; })"
    )
    dialog.get_by_role("button", name="Start at the playhead").click()
    start, end = dialog.get_by_label("Start", exact=True), dialog.get_by_label("End", exact=True)
    assert start.input_value() == "0:00.3"
    end.fill("0:00.2")
    dialog.get_by_role("button", name="Use this part").click()
    assert end.evaluate("field => field.validationMessage") == "The end must come after the start."
    end.fill("1,75")
    dialog.get_by_text("This part is 0:01.45 long.").wait_for()
    dialog.get_by_role("button", name="Use this part").click()
    page.get_by_text("0:00.3 to 0:01.75").wait_for()
    assert read_trim(house.folders.voices / "one.wav") == Trim.of(0.3, 1.75)
    page.get_by_role("button", name="Use a part of one.wav").click()
    dialog.get_by_role("button", name="Use all of it").click()
    dialog.get_by_role("button", name="Use this part").click()
    page.get_by_text("0:00.3 to 0:01.75").wait_for(state="detached")
    assert read_trim(house.folders.voices / "one.wav") == WHOLE


def test_hundreds_of_voices_are_found_by_name_ordered_and_ticked_together(
    house: House, address_of_house: str, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is made up would be refused at first sight.
    monkeypatch.setattr(FirstLooks, "want", lambda *_, **__: None)
    for number in range(498):
        (house.folders.voices / f"Leçon {number}.wav").write_bytes(f"voice {number}".encode())
    for number in range(18):
        (house.folders.presenters / f"teacher {number}.mp4").write_bytes(f"presenter {number}".encode())
    (house.folders.campaigns / ONLY_CAMPAIGNS).touch()
    house.take_in()
    for size in (DESKTOP, {"width": 820, "height": 1180}, PHONE):
        page = open_page(address_of_house, size)
        cards = page.locator("[data-kind=voices] .card")
        cards.nth(499).wait_for(state="attached")
        assert page.locator("[data-kind=presenters] .card").count() == 20
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_label("Search voices").fill("lecon 49")
        page.get_by_text("13 of 500").wait_for()
        page.locator("[data-kind=voices]").get_by_label("Order").select_option("name")
        names = [name.strip() for name in page.locator("[data-kind=voices] .card-name").all_inner_texts()]
        assert names == [f"Leçon {number}.wav" for number in (49, 149, 249, 349, 449, *range(490, 498))]
        page.locator("[data-kind=voices]").get_by_label("All found").check()
        if size is DESKTOP:
            page.get_by_role("button", name="Tag the 13 that are ticked").click()
            page.get_by_label("New tags").fill("Autumn, course 7")
            page.get_by_role("button", name="Keep these").click()
        page.get_by_label("Search voices").fill("")
        page.get_by_role("button", name="Autumn: 13").click()
        page.get_by_text("13 of 500").wait_for()
        assert page.get_by_role("button", name="Autumn: 13").get_attribute("aria-pressed") == "true"
        assert cards.count() == 13 and page.locator("[data-kind=voices]").get_by_label("All found").is_checked()
        page.get_by_role("button", name="Autumn: 13").click()
        page.get_by_label("Search voices").fill("nobody")
        page.locator("[data-kind=voices]").get_by_text("Nothing found.").wait_for()
        page.get_by_label("Search voices").fill("")
        cards.nth(499).wait_for(state="attached")
        assert page.locator("[data-kind=voices] .card.ticked").count() == 13
        page.context.close()
