"""Whom the guard before the pages refuses: names that are not ours, and what other pages make a browser send."""

import pytest
from starlette.requests import HTTPConnection

from heygem_pipeline.web.guard import Guard, guard_of

GUARD = Guard(frozenset({"localhost", "studio.example.org"}), frozenset({"192.0.2.1"}))


def asked(guard: Guard, method: str = "POST", peer: str = "192.0.2.9", kind: str = "http", **headers: str) -> int:
    """The status of the refusal; 0: it goes on."""
    named = {"host": "localhost:3000"} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": kind,
        "method": method,
        "path": "/",
        "client": (peer, 1),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    refusal = guard.refusal(HTTPConnection(scope))
    return refusal.status_code if refusal is not None else 0


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "http://attacker.example"},
        {"origin": "http://localhost:8000"},
        {"origin": "http://localhost.attacker.example:3000"},
        {"origin": "null"},
        {"origin": "http://[broken"},
        {"origin": "http://attacker.example", "x_forwarded_host": "attacker.example"},
    ],
)
def test_what_another_page_sends_does_not_act(headers: dict[str, str], kind: str) -> None:
    assert asked(GUARD, kind=kind, **headers) == 403


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "same-origin", "origin": "http://localhost:3000"},
        {"origin": "http://localhost:3000"},
        {"host": "studio.example.org", "origin": "https://studio.example.org"},
        {"host": "studio.example.org:443", "origin": "https://studio.example.org"},
    ],
)
def test_the_page_itself_and_what_is_no_browser_act(headers: dict[str, str], kind: str) -> None:
    assert asked(GUARD, kind=kind, **headers) == 0


def test_a_proxy_of_ours_says_under_which_port_it_was_asked() -> None:
    headers = {"host": "localhost", "origin": "https://localhost:8443", "x_forwarded_host": "localhost:8443"}
    assert asked(GUARD, peer="192.0.2.1", kind="websocket", **headers) == 0
    assert asked(GUARD, peer="192.0.2.9", kind="websocket", **headers) == 403


@pytest.mark.parametrize("host", ["attacker.example:3000", "192.0.2.5", "", "[broken"])
def test_another_name_is_not_answered_even_when_it_only_reads(host: str) -> None:
    assert asked(GUARD, "GET", host=host) == asked(GUARD, "GET", kind="websocket", host=host) == 421


def test_a_page_for_a_whole_network_answers_to_addresses_but_to_no_name_that_could_be_anybodys() -> None:
    guard = guard_of("0.0.0.0", "studio.example.org", "127.0.0.1")
    for host in ("192.0.2.5:3000", "[2001:db8::1]:3000", "localhost", "STUDIO.example.org"):
        assert asked(guard, "GET", host=host) == 0
    assert asked(guard, "GET", host="attacker.example") == 421
    assert asked(guard_of("127.0.0.1", "", ""), "GET", host="192.0.2.5") == 421
