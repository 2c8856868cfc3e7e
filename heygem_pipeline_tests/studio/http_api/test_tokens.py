"""Programs come with a token, which is shown once and kept as a digest."""

import json
import logging
import stat
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from heygem_pipeline.cli.terminal import BAD_INPUT
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio.http_api.tokens import PREFIX, Tokens, token_in
from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.conftest import page, rules


def behind_a_login(house: House, anna: str) -> TestClient:
    return page(house, replace(rules(anna), tokens=Tokens(house.folders)))


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_the_command_makes_lists_and_withdraws_a_token(new_data: DataFolders) -> None:
    made = heygem("token", "create", "lms", HEYGEM_DATA=str(new_data.root))
    token = made.stdout.strip()
    assert token.startswith(PREFIX) and Tokens(new_data).program_of(token) == "lms"
    listed = heygem("token", "list", "--json", HEYGEM_DATA=str(new_data.root)).stdout
    assert [one["name"] for one in json.loads(listed)["tokens"]] == ["lms"] and token not in listed
    assert "lms" in heygem("token", "list", HEYGEM_DATA=str(new_data.root)).stdout
    assert heygem("token", "create", "lms", HEYGEM_DATA=str(new_data.root)).exit_code == BAD_INPUT
    assert heygem("token", "withdraw", "lms", HEYGEM_DATA=str(new_data.root)).exit_code == 0
    assert Tokens(new_data).program_of(token) is None
    assert heygem("token", "withdraw", "lms", HEYGEM_DATA=str(new_data.root)).exit_code == BAD_INPUT


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 81])
def test_a_program_has_a_name_that_can_be_listed(new_data: DataFolders, name: str) -> None:
    assert heygem("token", "create", name, HEYGEM_DATA=str(new_data.root)).exit_code == BAD_INPUT
    assert Tokens(new_data).known() == {}


def test_only_the_digest_is_kept_and_only_its_owner_may_read_that(new_data: DataFolders) -> None:
    token = Tokens(new_data).create("lms")
    (file,) = new_data.state.glob("tokens.json")
    assert token.removeprefix(PREFIX) not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_token_opens_the_interface_and_nothing_else(house: House, anna: str) -> None:
    token = Tokens(house.folders).create("lms")
    with behind_a_login(house, anna) as studio:
        assert studio.get("/api/v1/voices", headers=bearer(token)).status_code == 200
        assert studio.get("/api/shown", headers=bearer(token)).status_code == 401
        assert studio.get("/archive.zip", headers=bearer(token)).status_code == 401


def test_without_a_token_the_interface_asks_for_one(house: House, anna: str) -> None:
    with behind_a_login(house, anna) as studio:
        answer = studio.get("/api/v1/voices", headers={"accept-language": "zh-CN"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "refused.stranger" and "令牌" in answer.json()["detail"]


def test_who_has_logged_in_may_use_the_interface_too(house: House, anna: str) -> None:
    with behind_a_login(house, anna) as studio:
        studio.post("/login", json={"user": "anna", "password": "correct horse"})
        assert studio.get("/api/v1/docs").status_code == 200


def test_a_withdrawn_token_opens_nothing_from_the_next_request_on(house: House, anna: str) -> None:
    tokens = Tokens(house.folders)
    token = tokens.create("lms")
    with behind_a_login(house, anna) as studio:
        assert studio.get("/api/v1/voices", headers=bearer(token)).status_code == 200
        tokens.withdraw("lms")
        answer = studio.get("/api/v1/voices", headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "refused.token")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "bearer heygem_wrong", "Bearer heygem_wrong, Bearer x"])
def test_a_wrong_token_is_refused_even_where_nobody_needs_one(house: House, header: str) -> None:
    Tokens(house.folders).create("lms")
    with page(house, replace(rules(), tokens=Tokens(house.folders))) as studio:
        assert studio.get("/api/v1/voices", headers={"authorization": header}).status_code == 401


def test_a_password_of_a_proxy_is_no_token() -> None:
    assert token_in("Basic YW5uYTpwdw==") is None and token_in("") is None


@pytest.mark.parametrize("headers", [{"origin": "https://attacker.example"}, {"sec-fetch-site": "cross-site"}])
def test_another_page_makes_a_program_do_nothing(house: House, headers: dict[str, str]) -> None:
    with page(house, rules()) as studio:
        answer = studio.put("/api/v1/voices/a.wav", content=b"sound", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "refused.foreign")
    assert not (house.folders.voices / "a.wav").exists()


def test_it_answers_to_its_own_names_only(house: House, anna: str) -> None:
    token = Tokens(house.folders).create("lms")
    with behind_a_login(house, anna) as studio:
        answer = studio.get("/api/v1/voices", headers=bearer(token) | {"host": "attacker.example"})
    assert (answer.status_code, answer.json()["code"]) == (421, "refused.host")


def test_no_token_is_logged(house: House, anna: str, caplog: pytest.LogCaptureFixture) -> None:
    token = Tokens(house.folders).create("lms")
    caplog.set_level(logging.DEBUG)
    with behind_a_login(house, anna) as studio:
        studio.get("/api/v1/voices", headers=bearer(token))
        studio.get("/api/v1/voices", headers=bearer(token + "x"))
        studio.post("/api/v1/batches", content="{", headers=bearer(token))
    assert token not in caplog.text
    kept = [path for path in house.folders.root.rglob("*") if path.is_file()]
    assert kept and not any(token.encode() in path.read_bytes() for path in kept)
