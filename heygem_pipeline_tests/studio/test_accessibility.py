"""What axe-core finds in the page's main states: nothing serious, in both languages, light and dark."""

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.messages.message import Message
from heygem_pipeline.runs.data_folder_lock import only_runner
from heygem_pipeline.runs.failure_reasons import reason_tag
from heygem_pipeline.runs.progress import Progress, write_progress
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.conftest import swaying_presenter, write_video
from heygem_pipeline_tests.house import CLIP, House
from heygem_pipeline_tests.studio.conftest import DESKTOP, PHONE
from heygem_pipeline_tests.synthesis.speech_server import used_speech_server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.server

Opener = Callable[..., "Page"]

SERIOUS = ("serious", "critical")

READERS: list[dict[str, Any]] = [
    {"size": DESKTOP, "locale": "en-GB", "color_scheme": "light"},
    {"size": PHONE, "locale": "zh-CN", "color_scheme": "dark", "has_touch": True, "is_mobile": True},
]


@pytest.fixture(scope="module")
def axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def busy(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Of four clips one is finished, one is made, one has failed and one waits; a script can be spoken."""
    with used_speech_server(monkeypatch):
        house.make_inputs()
        (house.folders.campaigns / "autumn.yaml").write_text("title: Autumn\nvoices: '*'\npresenters: '*'\n")
        house.make_clip("one", "one")
        write_video(tmp_path / "shown.mp4", swaying_presenter(16))
        (tmp_path / "shown.mp4").replace(house.folders.clip(ClipKey("one", "one")))
        strip = house.folders.filmstrip(ClipKey("one", "one"))
        strip.parent.mkdir(parents=True, exist_ok=True)
        strip.touch()
        run = house.run(CLIP, "one|two", DagsterRunStatus.STARTED)
        write_progress(house.folders, run, Progress("generated_frames", 60, 120, 0.0, 2.0))
        house.run(CLIP, "two|one", DagsterRunStatus.FAILURE, reason_tag(Message("run.unexpected", error="no memory")))
        with only_runner(house.folders):
            yield house


@pytest.mark.parametrize("reader", READERS, ids=["English, light, desktop", "Chinese, dark, phone"])
def test_axe_finds_nothing_serious_in_any_state(
    busy: House, address_of_house: str, open_page: Opener, axe: str, reader: dict[str, Any]
) -> None:
    page = open_page(address_of_house, **reader)
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        if told := faults(page):
            found[state] = told

    def opened(selector: str, dialog: str) -> None:
        page.locator(selector).first.click()
        page.locator(dialog).first.wait_for()

    page.locator(".cell[data-kind=running]").wait_for()
    page.evaluate(axe)
    look("running")
    opened("[data-clip='one|one']", "dialog#clip video")
    look("player")
    page.keyboard.press("Escape")
    opened("[data-clip='two|one']", "dialog#clip .bad")
    look("failed")
    opened("dialog#clip summary", "dialog#clip .log-body > *")
    look("log")
    page.keyboard.press("Escape")
    opened("#change", "dialog#question[open]")
    look("change")
    page.keyboard.press("Escape")
    opened("#write", "form.script")
    look("script")
    page.keyboard.press("Escape")
    page.locator("details.more summary").click()
    look("more choices")
    for kind in ("voices", "presenters"):
        page.locator(f"[data-kind={kind}] .card input[type=checkbox]:enabled").first.check()
    opened("#see-first", "dialog#preview[open]")
    look("preview")
    page.keyboard.press("Escape")
    opened("[data-kind=voices] .card-buttons button:last-child", "dialog#question[open]")
    look("question")
    page.keyboard.press("Escape")
    for folder in (busy.folders.voices, busy.folders.presenters):
        for file in folder.iterdir():
            file.unlink()
    busy.take_in()
    (busy.folders.campaigns / "autumn.yaml").unlink()
    page.locator("#empty").wait_for()
    look("empty")
    page.goto(f"{address_of_house}api/v1/docs")
    page.evaluate(axe)
    look("interface")
    assert found == {}


@pytest.mark.parametrize("reader", READERS, ids=["English, light, desktop", "Chinese, dark, phone"])
def test_axe_finds_nothing_serious_in_the_login(
    guarded: str, open_page: Opener, axe: str, reader: dict[str, Any]
) -> None:
    page = open_page(guarded, **reader)
    page.evaluate(axe)
    assert faults(page) == []


def faults(page: "Page") -> list[str]:
    """What axe finds, once nothing moves in: a dialog that is half transparent has no contrast."""
    page.evaluate(
        """Promise.all(document.getAnimations()
        .filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime))
        .map((one) => one.finished.catch(() => null)))"""
    )
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
