"""The Studio as people use it: in a real browser, with the real pipeline behind it."""

import shutil
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from heygem_pipeline.media.probe import probe_video
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline_tests.automation.served import PATIENCE, cut_the_power, start, wait_for
from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice
from heygem_pipeline_tests.studio.listening import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.long

CHROMIUM = "/usr/bin/chromium"
MILLISECONDS = PATIENCE * 1000
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (make test does)")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM} (apt install chromium)")
    with playwright.sync_playwright() as running:
        yield running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def open_page(browser: "Browser") -> Iterator[Callable[..., "Page"]]:
    """Opens pages; at the end none of them may have met an error."""
    errors: list[str] = []
    contexts = []

    def opened(address: str, size: Any = None, **more: Any) -> "Page":
        wished: dict[str, Any] = {"viewport": size or DESKTOP, "locale": "en-GB"}
        context = browser.new_context(**(wished | more))
        context.set_default_timeout(MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def address(data: DataFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """``heygem up`` on an empty data folder."""
    monkeypatch.setenv("HEYGEM_AUTOMATIC", "clips")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    settings.cache_clear()
    port = free_port()
    up = start(free_port(), tmp_path / "up.log", port)
    try:
        wait_for(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}/"
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0, (tmp_path / "up.log").read_text()
    finally:
        cut_the_power(up)


def test_a_teacher_makes_four_clips(
    address: str, data: DataFolders, tmp_path: Path, open_page: Callable[..., "Page"]
) -> None:
    for name, seconds in (("welcome.wav", 1.0), ("第一课.wav", 0.8)):
        write_voice(tmp_path / name, seconds)
    write_video(tmp_path / "anna.mp4", swaying_presenter(16))
    write_video(tmp_path / "marco.mp4", swaying_presenter(20))
    # On purpose: where one clip shall lie, there is something else.
    obstacle = data.clip("welcome", "marco")
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
    _progress(page, "3 of 4 finished · 1 needs you")

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
        names = {f"{voice}/{presenter}.mp4" for voice in ("welcome", "第一课") for presenter in ("anna", "marco")}
        assert set(archive.namelist()) == names
        archive.extractall(tmp_path / "all")
    assert probe_video(tmp_path / "all" / "第一课" / "marco.mp4").frame_count == 20

    page.get_by_role("button", name="中文").click()
    _progress(page, "4 个视频全部完成")

    other = open_page(link, PHONE, locale="zh-CN", has_touch=True, is_mobile=True)
    other.locator("dialog .clip-video video").wait_for()
    other.get_by_role("button", name="关闭").click()
    assert _fits(other)
    assert other.locator(".cell[data-kind=done]").count() == 4


def _progress(page: "Page", words: str) -> None:
    page.locator("#progress-words", has_text=words).wait_for()


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return answer.status == 200
    except (URLError, ConnectionError, TimeoutError):
        return False


def _fits(page: "Page") -> bool:
    """Is nothing wider than the window?"""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_five_hundred_clips_are_painted_at_once_and_fit_every_screen(
    many_clips: str, open_page: Callable[..., "Page"]
) -> None:
    for size in (DESKTOP, {"width": 820, "height": 1180}, PHONE):
        begun = monotonic()
        page = open_page(many_clips, size)
        page.locator(".cell").nth(499).wait_for(state="attached")
        assert page.locator(".cell").count() == 500
        assert monotonic() - begun < PATIENCE
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


def test_strangers_see_the_login_and_nothing_else(guarded: str, open_page: Callable[..., "Page"]) -> None:
    page = open_page(guarded)
    assert page.url.endswith("/login")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    page.locator(".card").first.wait_for()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()
