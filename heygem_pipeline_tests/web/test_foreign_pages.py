"""Pages of other origins in a real browser, beside Dagster's page and the Studio: nothing they try has an effect."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dagster import DagsterRunStatus
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from heygem_pipeline.operations.dagster_webserver import GuardedPage
from heygem_pipeline.runs.dagster_internals import workspace_of
from heygem_pipeline.settings import settings
from heygem_pipeline.studio.access import Rules
from heygem_pipeline.studio.application import application
from heygem_pipeline.studio.sessions import Sessions
from heygem_pipeline.studio.shared_state import Studio
from heygem_pipeline.web.guard import guard_of
from heygem_pipeline_tests.conftest import free_port
from heygem_pipeline_tests.house import VOICE, House
from heygem_pipeline_tests.studio.listening import listening_at

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.server, pytest.mark.long(minutes=0.5)]

GUARD = guard_of("127.0.0.1", "", "")
RULES = Rules(GUARD.hosts, GUARD.proxies, "", Sessions({}, b"secret"))

PRIZE = HTMLResponse("<!doctype html><title>Win a prize</title><body>")

FOREIGN = ["http://127.0.0.1", "http://localhost", "http://attacker.example"]
"""On another port: another origin of the same site, one of another site, and a stranger's."""

JSON_WITHOUT_ASKING = "text/plain; application/json"
"""A browser sends it without asking the other side first, and Dagster reads JSON."""

ACT = """async ([dagster, studio, mutation, writing, told]) => {
    const send = (address, kind, body, method) => fetch(address, {
        method: method ?? (body === undefined ? "GET" : "POST"), body, credentials: "include",
        mode: address.startsWith(location.origin) ? "same-origin" : "no-cors",
        headers: kind ? {"content-type": kind} : {},
    }).then((answer) => answer.status, () => -1);
    const inAddress = `${dagster}graphql?query=${encodeURIComponent(mutation)}`;
    const socket = new WebSocket(`${dagster.replace("http", "ws")}graphql`, "graphql-ws");
    const heard = new Promise((heard) => {
        socket.onopen = () => socket.send(JSON.stringify({type: "connection_init"}));
        socket.onmessage = () => heard(true);
        socket.onclose = socket.onerror = () => heard(false);
    });
    return {
        bodies: [
            await send(`${dagster}graphql`, told, JSON.stringify({query: mutation})),
            await send(inAddress, "text/plain", ""),
        ],
        address: await send(inAddress),
        studio: [
            await send(`${studio}api/texts`, "text/plain", JSON.stringify(writing)),
            await send(`${studio}api/v1/voices/one`, "", undefined, "DELETE"),
        ],
        heard: await heard,
    };
}"""

TRY_FORMS_AND_FRAMES = """async ([dagster, studio, mutation]) => {
    const loads = [];
    const added = (tag, given) => {
        const one = Object.assign(document.createElement(tag), given);
        loads.push(new Promise((over) => { one.onload = one.onerror = over; }));
        document.body.append(one);
    };
    const inAddress = `${dagster}graphql?query=${encodeURIComponent(mutation)}`;
    for (const src of [dagster, studio, inAddress]) added("iframe", {src});
    added("img", {src: inAddress});
    added("script", {src: inAddress});
    for (const enctype of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
        added("iframe", {name: enctype});
        const form = Object.assign(document.createElement("form"), {
            action: inAddress, method: "post", enctype, target: enctype,
        });
        document.body.append(form);
        form.submit();
    }
    await Promise.all(loads);
}"""


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """Addresses of Dagster's page and of the Studio, each behind its guard, and of a stranger's page."""
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("load_from: []\n")
    with workspace_of(house.instance, workspace) as context:
        dagster: ASGIApp = GuardedPage(create_app_from_workspace_process_context(context), GUARD)
        studio = application(Studio(house.instance, house.folders, settings(), RULES))
        with (
            listening_at(_with_prize(dagster), free_port()) as first,
            listening_at(_with_prize(studio), free_port()) as second,
            listening_at(PRIZE, free_port()) as third,
        ):
            yield first, second, third


def _with_prize(app: ASGIApp) -> ASGIApp:
    """With what a stranger's server answered before its name led to this one."""

    async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
        prize = scope["type"] == "http" and scope["path"] == "/prize"
        await (PRIZE if prize else app)(scope, receive, send)

    return chosen


def test_a_foreign_page_has_no_effect_and_the_own_one_has(
    browser: "Browser", house: House, pages: tuple[str, str, str]
) -> None:
    dagster, studio, stranger = pages
    run = house.run(VOICE, "one", DagsterRunStatus.SUCCESS)
    mutation = f'mutation {{ deletePipelineRun(runId: "{run}") {{ __typename }} }}'
    writing = {"voice": "one", "ending": ".txt", "text": "Hello."}
    given = [dagster, studio, mutation, writing, JSON_WITHOUT_ASKING]
    voice, text = house.folders.voices / "one.wav", house.folders.voices / "one.txt"

    def nothing_happened() -> bool:
        return house.instance.get_run_by_id(run) is not None and voice.exists() and not text.exists()

    for origin in FOREIGN:
        page = browser.new_page()
        page.goto(stranger.replace("http://localhost", origin))
        assert page.evaluate(ACT, given)["heard"] is False
        page.evaluate(TRY_FORMS_AND_FRAMES, given[:3])
        assert [address for address in _framed(page) if address.startswith((dagster, studio))] == []
        assert nothing_happened(), origin
        page.goto(f"{dagster}graphql?query={mutation}")
        assert nothing_happened(), "a link"

    # DNS rebinding: the name under which the stranger's page was loaded leads to ours afterwards.
    for ours in (dagster, studio):
        rebound = ours.replace("localhost", "rebound.example")
        page = browser.new_page()
        page.goto(f"{rebound}prize")
        renamed = [each.replace("localhost", "rebound.example") for each in (dagster, studio)]
        answers = page.evaluate(ACT, renamed + given[2:])
        assert not answers["heard"] and nothing_happened()
        assert page.evaluate("fetch('/').then((answer) => answer.status)") == 421, "nothing can be read either"

    page = browser.new_page()
    page.goto(f"{dagster}prize")
    answers = page.evaluate(ACT, given)
    assert answers["bodies"] == [200, 200] and answers["heard"] is True
    assert house.instance.get_run_by_id(run) is None
    page.goto(f"{studio}prize")
    assert page.evaluate(ACT, given)["studio"] == [200, 204]
    assert not voice.exists()


def _framed(page: "Page") -> Sequence[Any]:
    """Addresses of what the page's frames show; a refused one shows the browser's own page."""
    return [frame.url for frame in page.frames[1:]]
