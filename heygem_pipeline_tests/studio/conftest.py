"""A Studio page without servers: its application, asked directly."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from heygem_pipeline.settings import settings
from heygem_pipeline.studio.access import Rules
from heygem_pipeline.studio.application import application
from heygem_pipeline.studio.passwords import read_users, user_line
from heygem_pipeline.studio.sessions import Sessions
from heygem_pipeline.studio.shared_state import Studio
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.listening import listening

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ADDRESS = "http://localhost"

MILLISECONDS = 240_000
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def rules(users: str = "", header: str = "", hosts: str = "") -> Rules:
    names = frozenset({"localhost", *hosts.split()})
    # Starlette's test client says that it is called "testclient".
    return Rules(names, frozenset({"testclient"}), header, Sessions(read_users(users), b"secret"))


@pytest.fixture(scope="session")
def anna() -> str:
    """The line of settings that lets Anna in; her password is "correct horse"."""
    return user_line("anna", "correct horse")


@pytest.fixture(autouse=True)
def first_looks_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """First looks are really taken, but no test waits for a process to start; test_first_looks.py has the process."""

    def pool(workers: int, **_: object) -> Executor:
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr("heygem_pipeline.studio.first_look_worker.ProcessPoolExecutor", pool)


@pytest.fixture
def studio(house: House) -> Iterator[TestClient]:
    """The page over two voices and two presenters, open to everybody who reaches it."""
    with page(house, rules()) as client:
        yield client


def page(house: House, its_rules: Rules) -> TestClient:
    studio = Studio(house.instance, house.folders, settings(), its_rules)
    return TestClient(application(studio), ADDRESS, follow_redirects=False)


@pytest.fixture
def address_of_house(house: House) -> Iterator[str]:
    """The address of a page over two voices and two presenters, without servers behind it."""
    house.make_inputs()
    with listening(house, rules()) as address:
        yield address


@pytest.fixture
def many_clips(house: House) -> Iterator[str]:
    """The address of a page with 25 voices, 20 presenters and a clip of each pair wanted."""
    for number in range(23):
        (house.folders.voices / f"lesson {number}.wav").write_bytes(f"voice {number}".encode())
    for number in range(18):
        (house.folders.presenters / f"teacher {number}.mp4").write_bytes(f"presenter {number}".encode())
    house.take_in()
    house.make_inputs()
    with listening(house, rules()) as address:
        yield address


@pytest.fixture
def guarded(house: House, anna: str) -> Iterator[str]:
    """The address of a page that asks for a password."""
    with listening(house, rules(anna)) as address:
        yield address


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
        for page in context.pages:
            print(page.locator("body").inner_text())
        context.close()
    assert errors == []
