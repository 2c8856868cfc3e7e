"""Who is let in, and what is told to everybody else."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from heygem_pipeline.errors import NotReady
from heygem_pipeline.settings import settings
from heygem_pipeline.studio.access import Access, RateLimiter
from heygem_pipeline.studio.passwords import is_right, read_users, user_line
from heygem_pipeline.studio.server import run_studio
from heygem_pipeline.studio.sessions import COOKIE, Sessions
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.conftest import page, rules

EVERYTHING = ("/api/shown", "/files/clips/one/one.mp4", "/archive.zip", "/api/v1/clips/one/one/log")


def test_without_a_password_whoever_reaches_this_machine_is_let_in(house: House) -> None:
    with page(house, rules()) as studio:
        assert studio.get("/").status_code == studio.get("/api/shown").status_code == 200


@pytest.mark.parametrize("path", EVERYTHING)
def test_a_stranger_is_refused(house: House, anna: str, path: str) -> None:
    with page(house, rules(anna)) as studio:
        assert studio.get(path).status_code == 401


def test_a_stranger_is_shown_the_login_and_how_it_looks(house: House, anna: str) -> None:
    with page(house, rules(anna)) as studio:
        answer = studio.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "login")
        assert studio.get("/?clip=one%7Ctwo").headers["location"] == "login?clip=one%7Ctwo"
        assert studio.get("/login").status_code == studio.get("/static/studio.css").status_code == 200


def test_a_stranger_can_bring_in_nothing(house: House, anna: str) -> None:
    with page(house, rules(anna)) as studio:
        assert studio.put("/api/v1/voices/a.wav", content=b"sound").status_code == 401
        assert not (house.folders.voices / "a.wav").exists()


def test_the_right_password_opens_the_page_until_one_leaves(house: House, anna: str) -> None:
    with page(house, rules(anna)) as studio:
        assert studio.post("/login", json={"user": "anna", "password": "wrong"}).status_code == 401
        answer = studio.post("/login", json={"user": "anna", "password": "correct horse"})
        assert "HttpOnly" in answer.headers["set-cookie"] and "SameSite=lax" in answer.headers["set-cookie"]
        assert studio.get("/api/shown").status_code == 200
        studio.post("/logout")
        assert studio.get("/api/shown").status_code == 401


def test_the_cookie_is_for_https_alone_where_the_page_was_asked_for_by_https(house: House, anna: str) -> None:
    told = {"user": "anna", "password": "correct horse"}
    with page(house, rules(anna)) as studio:
        answer = studio.post("/login", json=told, headers={"x-forwarded-proto": "https"})
        assert "Secure" in answer.headers["set-cookie"]


def test_guessing_is_slowed_down(house: House, anna: str) -> None:
    with page(house, rules(anna)) as studio:
        headers = {"x-forwarded-for": "192.0.2.7"}
        guesses = [studio.post("/login", json={"user": "anna", "password": str(n)}, headers=headers) for n in range(7)]
        assert [guess.status_code for guess in guesses][-1] == 429


def test_who_leaves_leaves_for_good_also_where_the_cookie_was_copied(house: House, anna: str) -> None:
    with page(house, rules(anna)) as studio:
        studio.post("/login", json={"user": "anna", "password": "correct horse"})
        copied = f"{COOKIE}={studio.cookies[COOKIE]}"
        assert studio.get("/api/shown", headers={"cookie": copied}).status_code == 200
        studio.post("/logout")
        studio.cookies.clear()
        assert studio.get("/api/shown", headers={"cookie": copied}).status_code == 401


def test_an_ended_session_stays_ended_after_a_restart_and_others_go_on(anna: str, tmp_path: Path) -> None:
    users, file = read_users(anna), tmp_path / "studio.ended"
    sessions = Sessions(users, b"secret", file)
    ended, other = sessions.begin("anna"), sessions.begin("anna")
    sessions.end(ended)
    sessions.end("forged.1.x")
    again = Sessions(users, b"secret", file)
    assert again.user_of(ended) is None and again.user_of(other) == "anna"


def test_json_that_is_too_deep_is_no_login(house: House, anna: str) -> None:
    with page(house, rules(anna)) as studio:
        assert studio.post("/login", content="[" * 4000).status_code == 400
    with page(house, rules()) as studio:
        assert studio.post("/api/language", content="[" * 4000).status_code == 400
        assert studio.post("/api/v1/clips/cancel", content="[" * 4000).status_code == 422


def test_a_login_of_its_own_and_one_of_the_proxy_do_not_stand_together(
    monkeypatch: pytest.MonkeyPatch, anna: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEYGEM_DATA", str(tmp_path))
    monkeypatch.setenv("HEYGEM_STUDIO_USERS", anna)
    monkeypatch.setenv("HEYGEM_STUDIO_PROXY_HEADER", "X-Remote-User")
    with pytest.raises(NotReady, match="both set"):
        run_studio("127.0.0.1", 1)


def test_a_cookie_is_worthless_when_forged_or_when_the_password_has_changed(anna: str) -> None:
    users = read_users(anna)
    cookie = Sessions(users, b"secret").begin("anna")
    assert Sessions(users, b"secret").user_of(cookie) == "anna"
    assert Sessions(users, b"another").user_of(cookie) is None
    assert Sessions(read_users(user_line("anna", "new")), b"secret").user_of(cookie) is None
    assert Sessions({}, b"secret").user_of(cookie) is None
    for forged in ("", "a.b.c", cookie[:-1], cookie.replace(".", "..")):
        assert Sessions(users, b"secret").user_of(forged) is None


def test_a_proxy_says_whom_it_let_in(house: House) -> None:
    with page(house, rules(header="X-Remote-User")) as studio:
        assert studio.get("/", headers={"X-Remote-User": "anna"}).status_code == 200
        assert studio.get("/").status_code == 403


def test_nobody_but_the_proxy_is_believed(house: House) -> None:
    distrusting = rules(header="X-Remote-User")
    object.__setattr__(distrusting, "proxies", frozenset({"192.0.2.1"}))
    with page(house, distrusting) as studio:
        assert studio.get("/", headers={"X-Remote-User": "anna"}).status_code == 403


def test_it_answers_to_its_own_names_only(house: House) -> None:
    with page(house, rules(hosts="studio.example.org")) as studio:
        assert studio.get("/", headers={"host": "studio.example.org:8443"}).status_code == 200
        assert studio.get("/", headers={"host": "attacker.example"}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://attacker.example"}],
)
def test_no_other_page_can_make_it_act(house: House, headers: dict[str, str]) -> None:
    with page(house, rules()) as studio:
        asked = {
            "POST": ("/api/language", "/api/v1/batches", "/api/v1/clips/cancel", "/api/v1/clips/one/one/retry"),
            "PUT": ("/api/v1/voices/a.wav", "/api/v1/scripts/a.txt"),
            "PATCH": ("/api/v1/batches/x", "/api/v1/presenters/one"),
            "DELETE": ("/api/v1/voices/one", "/api/v1/batches/x"),
        }
        for method, paths in asked.items():
            for path in paths:
                assert studio.request(method, path, content=b"{}", headers=headers).status_code == 403
        assert (house.folders.voices / "one.wav").is_file() and not list(house.folders.campaigns.glob("*.yaml"))


def test_too_many_requests_of_one_address_are_refused() -> None:
    limiter = RateLimiter(rate=0.001, burst=3)
    assert [limiter.lets_through("a") for _ in range(5)] == [True, True, True, False, False]
    assert limiter.lets_through("b")


def test_every_answer_forbids_what_the_page_does_not_need(house: House) -> None:
    with page(house, rules()) as studio:
        for path in ("/", "/api/shown", "/nowhere"):
            headers = studio.get(path).headers
            assert "default-src 'self'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"


def test_it_does_not_open_itself_to_a_network_without_a_login(house: House) -> None:
    with pytest.raises(NotReady, match="HEYGEM_STUDIO_USERS"):
        run_studio("0.0.0.0", 1)


def test_a_line_of_settings_holds_no_password_and_nothing_a_shell_would_change(anna: str) -> None:
    assert "correct" not in anna and not set(anna) & set(" $'\"\\`")
    assert is_right("correct horse", read_users(anna)["anna"])
    assert not is_right("correct horses", read_users(anna)["anna"])


def test_a_line_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotReady, match="heygem studio --password"):
        read_users("anna:correct-horse")
    with pytest.raises(NotReady):
        user_line("anna b", "x")
    assert settings().studio_users == ""


def test_two_hundred_people_behind_one_address_open_the_page_and_watch() -> None:
    told: list[int] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        told.append(200)

    async def nothing(*_: object) -> Any:
        return {}

    async def watch(requests: int, method: str) -> None:
        access = Access(app, rules())
        for _ in range(requests):
            headers = [(b"host", b"localhost")]
            scope = {"type": "http", "method": method, "path": "/", "headers": headers, "client": ("192.0.2.7", 1)}
            await access(scope, nothing, nothing)

    asyncio.run(watch(200 * 20, "GET"))
    assert len(told) == 200 * 20
    asyncio.run(watch(2000, "POST"))
    assert len(told) < 200 * 20 + 2000, "who acts is braked as before"
