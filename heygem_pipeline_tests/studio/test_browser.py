"""The Studio as people use it: in a real browser, with the real pipeline behind it."""

import logging
import shutil
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

import pytest
from dagster import DagsterRunStatus, EventLogEntry

from heygem_pipeline.media.probe import probe_video
from heygem_pipeline.operations.retention import prune
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import free_port, swaying_presenter, write_video, write_voice
from heygem_pipeline_tests.house import CLIP, House
from heygem_pipeline_tests.served import cut_the_power, start, wait_for
from heygem_pipeline_tests.studio.conftest import DESKTOP, PHONE
from heygem_pipeline_tests.studio.listening import answers
from heygem_pipeline_tests.synthesis.speech_server import SpeechServer, used_speech_server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.server, pytest.mark.long(minutes=4)]


@pytest.fixture
def address(data: DataFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """``heygem up`` on an empty data folder."""
    monkeypatch.setenv("HEYGEM_AUTOMATIC", "clips")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    settings.cache_clear()
    port = free_port()
    up = start(free_port(), tmp_path / "up.log", port)
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_for(lambda: answers(address))
        yield address
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0, (tmp_path / "up.log").read_text()
    finally:
        cut_the_power(up)
        print((tmp_path / "up.log").read_text())


@pytest.fixture
def speech(monkeypatch: pytest.MonkeyPatch) -> Iterator[SpeechServer]:
    with used_speech_server(monkeypatch) as stand_in:
        yield stand_in


def test_a_text_becomes_a_clip(
    speech: SpeechServer, address: str, data: DataFolders, tmp_path: Path, open_page: Callable[..., "Page"]
) -> None:
    write_video(tmp_path / "anna.mp4", swaying_presenter(16))
    page = open_page(address)
    page.locator("[data-kind=presenters] input[type=file]").set_input_files([tmp_path / "anna.mp4"])
    page.get_by_role("button", name="Write a script").click()
    form = page.locator("form.script")
    form.get_by_role("textbox", name="Name", exact=True).fill("welcome")
    form.get_by_role("combobox", name="Language").select_option("en")
    form.get_by_role("textbox", name="Text").fill("Good day.")
    form.get_by_role("button", name="Hear a sample").click()
    form.locator("button .icon-stop").wait_for()
    form.get_by_role("button", name="Have it spoken").click()
    card = page.locator("[data-kind=voices] .card")
    card.get_by_text("Synthetic voice: alloy (http)").wait_for()
    with page.expect_response(lambda answer: "files/voices/welcome.en" in answer.url) as heard:
        card.get_by_role("button", name="Listen to welcome.en.txt").click()
    assert heard.value.ok
    assert [text for text in speech.texts if text == "Good day."] and len(speech.texts) == 2

    page.get_by_role("button", name="Make 1 clip").click()
    page.get_by_role("button", name="welcome.en with anna: Finished, press to play").click()
    page.locator(".clip-video video[src]").evaluate(
        """video => new Promise((plays, fails) => {
            video.muted = true;
            video.ontimeupdate = () => video.currentTime > 0.2 && plays();
            video.play().catch(fails);
        })"""
    )
    page.locator(".measured").get_by_text("Synthetic voice: http alloy").wait_for()
    assert page.locator("video track").evaluate("track => track.src").endswith("welcome.en.vtt")
    page.keyboard.press("Escape")

    before = data.clip(ClipKey("welcome.en", "anna")).stat().st_mtime_ns
    card.get_by_role("button", name="Change welcome.en.txt").click()
    form.get_by_role("textbox", name="Text").fill("Good night.")
    form.get_by_text("1 finished clip is made again").wait_for()
    form.get_by_role("button", name="Speak it again").click()
    wait_for(lambda: data.clip(ClipKey("welcome.en", "anna")).stat().st_mtime_ns != before)


def test_a_teacher_makes_four_clips(
    address: str, data: DataFolders, tmp_path: Path, open_page: Callable[..., "Page"]
) -> None:
    for name, seconds in (("welcome.wav", 1.0), ("第一课.wav", 0.8)):
        write_voice(tmp_path / name, seconds)
    write_video(tmp_path / "anna.mp4", swaying_presenter(16))
    write_video(tmp_path / "marco.mp4", swaying_presenter(20))
    # On purpose: where one clip shall lie, there is something else.
    obstacle = data.clip(ClipKey("welcome", "marco"))
    obstacle.mkdir(parents=True)
    page = open_page(address)
    page.get_by_text("Your clips will appear here").wait_for()
    assert page.get_by_role("button", name="Make clips").is_disabled()

    voices = [tmp_path / "welcome.wav", tmp_path / "第一课.wav"]
    page.locator("[data-kind=voices] input[type=file]").set_input_files(voices)
    page.locator("[data-kind=presenters] input[type=file]").set_input_files(
        [tmp_path / "anna.mp4", tmp_path / "marco.mp4"]
    )
    page.get_by_role("button", name="Make 4 clips").wait_for()
    page.locator("[data-kind=presenters] img.face").nth(1).wait_for()
    page.get_by_role("button", name="Make 4 clips").click()

    _progress(page, "0 of 4 finished")
    page.locator(".cell[data-kind=running], .cell[data-kind=done]").first.wait_for()
    page.reload()
    page.locator(".cell[data-kind=failed]").wait_for()
    _progress(page, "3 of 4 finished · 1 failed")

    page.locator(".cell[data-kind=failed]").click()
    dialog = page.get_by_role("dialog")
    assert str(tmp_path) not in dialog.inner_text()
    dialog.get_by_text("What happened (log)").click()
    dialog.locator(".log li").first.wait_for()
    assert str(tmp_path) not in dialog.inner_text()
    shutil.rmtree(obstacle)
    dialog.get_by_role("button", name="Try again").click()
    dialog.locator(".clip-state.bad").wait_for(state="detached")
    dialog.locator("video").first.wait_for()
    dialog.get_by_role("button", name="Close").click()
    _progress(page, "All 4 clips are finished")

    page.get_by_role("button", name="welcome with anna: Finished, press to play").click()
    assert "clip=welcome%7Canna" in page.url
    video = page.locator(".clip-video video")
    video.evaluate(
        """video => new Promise((plays, fails) => {
            video.muted = true;
            video.ontimeupdate = () => video.currentTime > 0.2 && plays();
            video.play().catch(fails);
        })"""
    )
    page.locator(".verdict").first.wait_for()
    link = page.url
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "clip=" not in url)

    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download all", exact=True).click()
    downloading.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        names = {f"{voice} - {presenter}.mp4" for voice in ("welcome", "第一课") for presenter in ("anna", "marco")}
        assert set(archive.namelist()) == names
        archive.extractall(tmp_path / "all")
    assert probe_video(tmp_path / "all" / "第一课 - marco.mp4").frame_count == 20

    page.get_by_role("button", name="中文").click()
    _progress(page, "4 个视频全部完成")

    other = open_page(link, PHONE, locale="zh-CN", has_touch=True, is_mobile=True)
    other.locator("dialog .clip-video video").wait_for()
    other.get_by_role("button", name="关闭").click()
    assert _fits(other)
    assert other.locator(".cell[data-kind=done]").count() == 4


def test_what_is_cancelled_or_was_removed_is_made_when_somebody_asks_for_it(
    address: str, data: DataFolders, tmp_path: Path, open_page: Callable[..., "Page"], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_voice(tmp_path / "welcome.wav", 0.8)
    presenters = [tmp_path / f"{name}.mp4" for name in ("anna", "marco", "zoe")]
    for path in presenters:
        write_video(path, swaying_presenter(16))
    page = open_page(address)
    page.locator("[data-kind=voices] input[type=file]").set_input_files(tmp_path / "welcome.wav")
    page.locator("[data-kind=presenters] input[type=file]").set_input_files(presenters)
    with open_instance(data) as instance:
        # Without a place in the pool none is finished before it is cancelled.
        instance.event_log_storage.set_concurrency_slots("gpu", 0)
    page.get_by_role("button", name="Make 3 clips").click()

    page.locator('.cell[data-clip="welcome|zoe"]').click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_text("Somebody cancelled it.").wait_for()
    page.keyboard.press("Escape")
    page.locator("#batch-actions").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel 2 clips").click()
    _progress(page, "0 of 3 finished · 3 cancelled")

    with open_instance(data) as instance:
        instance.event_log_storage.set_concurrency_slots("gpu", 1)
    _try_again(page, "welcome with anna: Cancelled")
    _progress(page, "1 of 3 finished · 2 cancelled")

    monkeypatch.setenv("HEYGEM_KEEP_OUTPUTS_DAYS", "1")
    settings.cache_clear()
    with open_instance(data) as instance:
        # Nothing of a voice is removed while a run works on it, as its ZIP's may still do.
        wait_for(
            lambda: any(
                kind.what == "finished clips" for kind in prune(instance, data, settings(), now=time() + 2 * 24 * 3600)
            )
        )
    page.reload()
    _progress(page, "0 of 3 finished · 2 cancelled · 1 removed (too old)")
    _try_again(page, "welcome with anna: Removed (too old)")
    _progress(page, "1 of 3 finished · 2 cancelled")


def _try_again(page: "Page", cell: str) -> None:
    """Have a clip made again, and wait until it plays."""
    page.get_by_role("button", name=cell).click()
    page.get_by_role("dialog").get_by_role("button", name="Try again").click()
    page.get_by_role("dialog").locator("video").first.wait_for()
    page.keyboard.press("Escape")


def _progress(page: "Page", words: str) -> None:
    page.locator("#progress-words", has_text=words).wait_for()


def _fits(page: "Page") -> bool:
    """Is nothing wider than the window?"""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_five_hundred_clips_are_painted_at_once_and_fit_every_screen(
    many_clips: str, open_page: Callable[..., "Page"]
) -> None:
    for size in (DESKTOP, {"width": 820, "height": 1180}, PHONE):
        page = open_page(many_clips, size)
        page.locator(".cell").nth(499).wait_for(state="attached")
        assert page.locator(".cell").count() == 500
        assert _fits(page)


def test_the_keyboard_reaches_everything_and_everything_has_a_name(
    many_clips: str, open_page: Callable[..., "Page"]
) -> None:
    page = open_page(many_clips)
    page.locator(".cell").nth(499).wait_for(state="attached")
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, a[href], input, select')].filter((one) => one.offsetParent
        && !(one.ariaLabel || one.textContent.trim() || one.labels?.[0]?.textContent.trim()))
        .map((one) => one.outerHTML)"""
    )
    assert nameless == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    cell = page.locator(".cell:not([disabled])").first
    cell.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "cell"


def test_an_open_log_goes_on_and_stays_where_it_is_read(
    address_of_house: str, house: House, open_page: Callable[..., "Page"]
) -> None:
    run = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)

    def say(*numbers: int) -> None:
        for number in numbers:
            house.instance.handle_new_event(EventLogEntry(None, logging.INFO, f"Line {number}.", run, time()))

    say(*range(40))
    page = open_page(address_of_house)
    page.get_by_role("button", name="one with one").click()
    page.get_by_text("What happened (log)").click()
    log = page.locator(".log ol")
    log.get_by_text("Line 39.").wait_for()
    bottom = "log => log.scrollTop + log.clientHeight > log.scrollHeight - 4"
    assert log.evaluate(bottom)
    say(40)
    log.get_by_text("Line 40.").wait_for()
    assert log.evaluate(bottom)
    log.evaluate("log => { log.scrollTop = 50; log.focus(); }")
    say(41)
    log.get_by_text("Line 41.").wait_for()
    assert log.evaluate("log => log.scrollTop") == 50
    assert log.evaluate("log => log === document.activeElement")


def test_the_keyboard_stays_where_it_is_while_the_page_changes(
    address_of_house: str, house: House, open_page: Callable[..., "Page"]
) -> None:
    house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, {"heygem/sentence": "Broken."})
    page = open_page(address_of_house)
    page.get_by_role("button", name="one with one: Failed").wait_for()
    page.locator(".batch-open").focus()
    _finish(house, "one", "two")
    _progress(page, "1 of 4 finished")
    assert page.evaluate("document.activeElement.className") == "batch-open"
    page.get_by_role("button", name="one with one: Failed").click()
    page.get_by_role("dialog").get_by_role("button", name="Try again").press("Enter")
    page.get_by_role("dialog").locator(".bad").wait_for(state="detached")
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")


@pytest.mark.parametrize("size", [DESKTOP, {"width": 820, "height": 1180}, PHONE])
def test_buttons_that_come_move_nothing(
    address_of_house: str, house: House, open_page: Callable[..., "Page"], size: dict[str, int]
) -> None:
    page = open_page(address_of_house, size)
    page.locator(".cell").first.wait_for()
    before = _below_the_title(page)
    _finish(house, "one", "two")
    house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, {"heygem/sentence": "Broken."})
    page.get_by_role("link", name="Download all", exact=True).wait_for()
    page.get_by_role("button", name="Try 1 again").wait_for()
    assert _below_the_title(page) == before


def _below_the_title(page: "Page") -> float:
    return page.evaluate(
        "matrix.getBoundingClientRect().top - document.querySelector('.now').getBoundingClientRect().top"
    )


def _finish(house: House, voice: str, presenter: str) -> None:
    strip = house.folders.filmstrip(ClipKey(voice, presenter))
    strip.parent.mkdir(parents=True, exist_ok=True)
    strip.touch()
    house.make_clip(voice, presenter)


def test_strangers_see_the_login_and_nothing_else(guarded: str, open_page: Callable[..., "Page"]) -> None:
    page = open_page(guarded)
    assert page.url.endswith("/login")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    page.locator(".card").first.wait_for()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()
