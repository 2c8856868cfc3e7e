"""Scripts that were written for HeyGem's two addresses keep working, and read nothing but one folder."""

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from heygem_pipeline.errors import NotReady
from heygem_pipeline.lipsync.program.http_service import holds, value_at
from heygem_pipeline.lipsync.program.shipped_recipes import shipped_recipes
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.studio.http_api.tokens import Tokens
from heygem_pipeline.studio.server import rules_of
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.conftest import page, rules

SUBMITTED = {
    "audio_url": "talk.wav",
    "video_url": "anna.mp4",
    "code": "a-1",
    "chaofen": 0,
    "watermark_switch": 0,
    "pn": 1,
}
CLIP = ClipKey("talk", "anna")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the settings name, with a voice and a presenter."""
    folder = tmp_path / "face2face"
    folder.mkdir()
    (folder / "talk.wav").write_bytes(b"a talk")
    (folder / "anna.mp4").write_bytes(b"anna")
    (tmp_path / "secret.wav").write_bytes(b"secret")
    monkeypatch.setenv("HEYGEM_EASY_FOLDER", str(folder))
    return folder


@pytest.fixture
def studio(folder: Path, house: House) -> Iterator[TestClient]:
    settings.cache_clear()
    with page(house, rules()) as client:
        yield client


def submit(studio: TestClient, **other: Any) -> dict[str, Any]:
    answer = studio.post("/easy/submit", json=SUBMITTED | other)
    assert answer.status_code == 200
    return answer.json()


def query(studio: TestClient, code: str = "a-1") -> dict[str, Any]:
    return studio.get(f"/easy/query?code={code}").json()


def test_a_script_submits_asks_and_finds_its_clip_in_the_folder(studio: TestClient, house: House, folder: Path) -> None:
    assert submit(studio) == {"code": 10000, "data": {}, "msg": "", "success": True}
    house.make_inputs()
    running = {"code": "a-1", "msg": "", "progress": 0, "result": "", "status": 1}
    assert query(studio) == {"code": 10000, "data": running, "msg": "", "success": True}
    house.make_clip("talk", "anna")
    house.folders.clip(CLIP).write_bytes(b"the clip")
    assert query(studio)["data"] == running | {"progress": 100, "result": "/a-1-r.mp4", "status": 2}
    assert (folder / "a-1-r.mp4").read_bytes() == b"the clip"


def test_our_own_recipe_for_it_understands_the_answers(studio: TestClient, house: House) -> None:
    service = shipped_recipes()["duix"].service
    assert service is not None
    assert holds(submit(studio), service.submit.accepted)
    house.make_inputs()
    assert not holds(query(studio), service.query.done)
    house.make_clip("talk", "anna")
    assert holds(query(studio), service.query.done) and value_at(query(studio), service.result) == "/a-1-r.mp4"
    house.folders.clip(CLIP).unlink()
    studio.post(f"/api/v1/clips/{CLIP.voice}/{CLIP.presenter}/cancel")
    assert any(holds(query(studio), failed) for failed in service.query.failed)


def test_the_same_files_are_brought_in_once(studio: TestClient, house: House) -> None:
    submit(studio)
    submit(studio)
    submit(studio, code="a-2", audio_url="/code/data/temp/talk.wav", video_url="/code/data/anna.mp4")
    assert [path.name for path in house.folders.presenters.glob("anna*")] == ["anna.mp4"]
    assert query(studio, "a-2")["code"] == 10000


def test_a_code_stands_for_the_files_of_its_first_request(studio: TestClient) -> None:
    submit(studio)
    assert submit(studio, audio_url="anna.mp4")["code"] == 10002


def test_a_code_that_nobody_submitted_is_no_task(studio: TestClient) -> None:
    assert (query(studio, "none")["code"], query(studio, "none")["success"]) == (10004, True)


@pytest.mark.parametrize(
    "named",
    [
        "../secret.wav",
        "/code/data/../secret.wav",
        "{outside}",
        "link.wav",
        "folder.wav",
        "none.wav",
        "a\0.wav",
        "..",
        "/",
    ],
)
def test_no_path_leads_out_of_the_folder(
    studio: TestClient, house: House, folder: Path, tmp_path: Path, named: str
) -> None:
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    (folder / "folder.wav").mkdir()
    told = submit(studio, audio_url=named.format(outside=tmp_path / "secret.wav"))
    assert (told["code"], told["success"]) == (10002, False) and str(tmp_path) not in told["msg"]
    assert {path.name for path in house.folders.voices.iterdir()} == {"one.wav", "two.wav"}


@pytest.mark.parametrize("code", ["../x", "a/b", "", "é", "a\nb", "x" * 101])
def test_a_code_that_could_be_a_path_is_refused(studio: TestClient, code: str) -> None:
    assert submit(studio, code=code)["code"] == 10002


@pytest.mark.parametrize("body", ["[" * 4000, "{}", "[]", '{"code": 1}'])
def test_a_body_that_is_none_is_refused_in_its_form(studio: TestClient, body: str) -> None:
    assert studio.post("/easy/submit", content=body).json()["code"] == 10002


def test_a_file_that_is_no_voice_is_refused_in_words(studio: TestClient, folder: Path) -> None:
    (folder / "page.html").write_bytes(b"x")
    told = submit(studio, audio_url="page.html")
    assert told["code"] == 10002 and "page.html" in told["msg"]


def test_it_is_not_there_unless_the_settings_name_a_folder(house: House) -> None:
    with page(house, rules()) as studio:
        assert studio.post("/easy/submit", json=SUBMITTED).status_code == 404


def test_behind_a_login_only_named_addresses_and_tokens_are_let_in(folder: Path, house: House, anna: str) -> None:
    settings.cache_clear()
    tokens = Tokens(house.folders)
    token = tokens.create("old script")
    inside = (ipaddress.ip_network("10.1.0.0/16"),)
    with page(house, replace(rules(anna), tokens=tokens, easy_clients=inside)) as studio:

        def status(path: str, **headers: str) -> int:
            return studio.get(
                path, headers={name.replace("_", "-"): value for name, value in headers.items()}
            ).status_code

        assert status("/easy/query?code=a") == 401
        assert status("/easy/query?code=a", x_forwarded_for="10.2.0.1") == 401
        assert status("/easy/query?code=a", x_forwarded_for="10.1.7.7") == 200
        assert status("/api/shown", x_forwarded_for="10.1.7.7") == 401
        assert status("/api/v1/voices", x_forwarded_for="10.1.7.7") == 401
        assert status("/easy/query?code=a", authorization=f"Bearer {token}") == 200
        foreign = studio.post("/easy/submit", json=SUBMITTED, headers={"origin": "https://attacker.example"})
        assert foreign.status_code == 403


def test_a_setting_that_holds_no_address_stops_the_start(data: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_EASY_CLIENTS", "everybody")
    settings.cache_clear()
    with pytest.raises(NotReady, match="everybody"):
        rules_of("127.0.0.1")
