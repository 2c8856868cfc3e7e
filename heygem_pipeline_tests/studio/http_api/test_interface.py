"""What programs ask for by ``/api/v1``, and what they are told."""

import json
import re
from io import BytesIO
from zipfile import ZipFile

import pytest
from dagster import DagsterRunStatus
from starlette.testclient import TestClient

from heygem_pipeline.campaigns.campaigns_folder import load_campaigns
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.planning.requests import read_requests
from heygem_pipeline.planning.status import State
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.house import CLIP, House
from heygem_pipeline_tests.studio.conftest import page, rules

V1 = "/api/v1"
WANTED = {"title": "Autumn", "voices": ["one"], "presenters": ["one", "two"]}


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test makes up behind the page's back is seen at once, not after two seconds."""
    monkeypatch.setattr("heygem_pipeline.studio.snapshot.SECONDS_BETWEEN_READINGS", 0.0)


def begin(studio: TestClient, **other: object) -> str:
    answer = studio.post(f"{V1}/batches", json=WANTED | other)
    assert answer.status_code == 201, answer.text
    return answer.json()["name"]


def campaigns(house: House) -> list[str]:
    return [c.name for c in load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable]


def test_a_file_that_is_brought_in_has_a_key_at_once(studio: TestClient, house: House) -> None:
    answer = studio.put(f"{V1}/voices/%E7%AC%AC%E4%B8%80%E8%AF%BE.wav", content=b"sound")
    assert (answer.status_code, answer.json()) == (201, {"key": "第一课", "file": "第一课.wav"})
    begin(studio, voices=["第一课"])
    assert ClipKey("第一课", "one") in house.plan().clips


def test_a_file_of_a_taken_name_gets_a_key_of_its_own(studio: TestClient) -> None:
    assert studio.put(f"{V1}/voices/one.wav", content=b"other").json() == {"key": "one (2)", "file": "one (2).wav"}


def test_an_upload_is_replaced_under_its_key(studio: TestClient, house: House) -> None:
    answer = studio.put(f"{V1}/voices/new.wav?replace=one", content=b"other")
    assert answer.json() == {"key": "one", "file": "one.wav"}
    assert (house.folders.voices / "one.wav").read_bytes() == b"other"


def test_a_photograph_that_is_brought_in_moves_until_somebody_keeps_it_still(studio: TestClient, house: House) -> None:
    assert studio.put(f"{V1}/presenters/photo.png", content=b"picture").status_code == 201
    assert studio.get(f"{V1}/presenters/photo").json()["moving"] is True
    assert studio.get(f"{V1}/presenters/one").json()["moving"] is None
    assert studio.patch(f"{V1}/presenters/photo", json={"moving": False}).status_code == 200
    assert studio.get(f"{V1}/presenters/photo").json()["moving"] is False
    assert (house.folders.presenters / "photo.yaml").read_text() == "moving: false\n"
    for key, code, status in (("one", "refused.no_photograph", 400), ("none", "refused.no_upload", 404)):
        answer = studio.patch(f"{V1}/presenters/{key}", json={"moving": True})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [("page.html", "refused.ending", 400), ("new.wav?replace=none", "refused.not_there", 404)],
)
def test_what_the_page_refuses_is_refused_here_too(studio: TestClient, name: str, code: str, status: int) -> None:
    answer = studio.put(f"{V1}/voices/{name}", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_file_must_say_its_length(studio: TestClient, house: House) -> None:
    answer = studio.put(f"{V1}/voices/a.wav", content=iter([b"sound"]))
    assert (answer.status_code, answer.json()["code"]) == (411, "refused.length")
    assert not (house.folders.voices / "a.wav").exists()


def test_what_is_too_large_is_refused_as_problem_details(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_STUDIO_MAX_GB", "0.000001")
    settings.cache_clear()
    with page(house, rules()) as studio:
        answer = studio.put(f"{V1}/voices/large.wav", content=b"x" * 2000)
    assert answer.status_code == 413 and answer.headers["content-type"] == "application/problem+json"


def test_a_problem_has_a_code_values_and_a_sentence_in_the_language_that_was_asked_for(studio: TestClient) -> None:
    answer = studio.put(f"{V1}/voices/page.html", content=b"x", headers={"accept-language": "zh"})
    told = answer.json()
    assert (answer.headers["content-type"], answer.headers["content-language"]) == ("application/problem+json", "zh")
    assert (told["title"], told["status"], told["code"]) == ("Bad Request", 400, "refused.ending")
    assert told["values"]["name"] == "page.html" and "page.html" in told["detail"]
    assert re.search("[\u4e00-\u9fff]", told["detail"])


def test_an_error_of_the_pipeline_keeps_its_code(studio: TestClient) -> None:
    answer = studio.post(f"{V1}/batches", json=WANTED | {"webhook": "ftp://example.org/"})
    assert answer.status_code == 400 and answer.json()["code"].startswith("webhook.")


def test_what_is_asked_for_is_made_and_nothing_else(studio: TestClient, house: House) -> None:
    answer = studio.post(
        f"{V1}/batches", json=WANTED | {"quality": "best", "label": "always", "subtitles": "burnt", "loudness": "web"}
    )
    told = answer.json()
    assert answer.headers["location"] == f"{V1}/batches/Autumn"
    assert (told["quality"], told["label"], told["subtitles"]) == ("best", "always", "burnt")
    assert told["loudness"] == "web"
    assert (told["engine"], told["finished"]) == ("warp", False)
    assert set(house.plan().clips) == {ClipKey("one", "one"), ClipKey("one", "two")}
    assert read_requests(house.folders).clips == ["one|one", "one|two"]
    assert [one["name"] for one in studio.get("/api/shown").json()["batches"]] == ["Autumn"]


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"voices": []}, 422, "refused.request"),
        ({"quality": "ultra"}, 422, "refused.request"),
        ({"more": 1}, 422, "refused.request"),
        ({"voices": ["none"]}, 404, "refused.no_upload"),
        ({"engine": "none"}, 400, "refused.unknown_choice"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    studio: TestClient, house: House, wrong: dict[str, object], status: int, code: str
) -> None:
    answer = studio.post(f"{V1}/batches", json=WANTED | wrong)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert campaigns(house) == []


@pytest.mark.parametrize("body", ["[" * 4000, "{", "[]", b"\xff", '{"title":"' + "x" * 300_000 + '"}'])
def test_a_body_that_is_none_is_a_problem(studio: TestClient, body: str | bytes) -> None:
    answer = studio.post(f"{V1}/batches", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 413, 422) and answer.json()["code"].startswith("refused.request")


def test_a_request_with_the_same_key_is_done_once(studio: TestClient, house: House) -> None:
    key = {"idempotency-key": "order 7"}
    first, second = (studio.post(f"{V1}/batches", json=WANTED, headers=key) for _ in range(2))
    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["location"] == first.headers["location"]
    assert campaigns(house) == ["Autumn"]
    with page(house, rules()) as restarted:
        assert restarted.post(f"{V1}/batches", json=WANTED, headers=key).json() == first.json()
        other = restarted.post(f"{V1}/batches", json=WANTED | {"title": "Other"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "refused.key_reused")
    assert campaigns(house) == ["Autumn"]


def test_a_refused_request_may_be_sent_again_with_its_key(studio: TestClient) -> None:
    key = {"idempotency-key": "a"}
    wanted = WANTED | {"voices": ["late"]}
    assert studio.post(f"{V1}/batches", json=wanted, headers=key).status_code == 404
    studio.put(f"{V1}/voices/late.wav", content=b"sound")
    assert studio.post(f"{V1}/batches", json=wanted, headers=key).status_code == 201


def test_a_file_with_the_same_key_arrives_once(studio: TestClient, house: House) -> None:
    key = {"idempotency-key": "file"}
    answers = [studio.put(f"{V1}/voices/new.wav", content=b"sound", headers=key) for _ in range(2)]
    assert [answer.json()["key"] for answer in answers] == ["new", "new"]
    assert [path.name for path in house.folders.voices.glob("new*")] == ["new.wav"]
    assert studio.put(f"{V1}/voices/new.wav", content=b"other", headers=key).status_code == 422


def test_a_batch_is_watched_until_it_is_finished(studio: TestClient, house: House) -> None:
    house.make_inputs()
    name = begin(studio)
    house.make_clip("one", "one")
    house.make_clip("one", "two")
    told = studio.get(f"{V1}/batches/{name}/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    event, data = told.text.strip().splitlines()[-2:]
    assert event == "event: finished"
    assert json.loads(data.removeprefix("data: "))["counts"] == {"done": 2}
    assert studio.get(f"{V1}/batches/none/events").json()["code"] == "refused.no_batch"


def test_every_change_is_told_and_the_end_of_a_batch_too(
    studio: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = begin(studio)

    async def something_happens(_seconds: float) -> None:
        (house.folders.campaigns / f"{name}.yaml").unlink()

    monkeypatch.setattr("heygem_pipeline.studio.http_api.batches.sleep", something_happens)
    told = studio.get(f"{V1}/batches/{name}/events").text
    assert re.findall("^event: (.*)$", told, re.MULTILINE) == ["batch", "gone"]


def test_a_clip_is_fetched_whole_and_by_range(studio: TestClient, house: House) -> None:
    house.make_inputs()
    name = begin(studio, presenters=["one"])
    assert studio.get(f"{V1}/clips/one/one/file").json()["code"] == "refused.not_made"
    house.make_clip()
    house.folders.clip(ClipKey("one", "one")).write_bytes(b"0123456789")
    whole = studio.get(f"{V1}/clips/one/one/file")
    assert whole.content == b"0123456789" and "one%20-%20one.mp4" in whole.headers["content-disposition"]
    part = studio.get(f"{V1}/clips/one/one/file", headers={"range": "bytes=4-"})
    assert (part.status_code, part.content) == (206, b"456789")
    answer = studio.get(f"{V1}/batches/{name}/clips.zip")
    assert ZipFile(BytesIO(answer.content)).read("one - one.mp4") == b"0123456789"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=20-", 206, slice(20, None)),
        ("bytes=3-9", 206, slice(3, 10)),
        ("bytes=-30", 206, slice(-30, None)),
        ("bytes=3-99999", 206, slice(3, None)),
        ("bytes=99999-", 416, slice(0, 0)),
        ("bytes=1-2,5-6", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
    ],
)
def test_a_zip_that_broke_off_goes_on(studio: TestClient, house: House, asked: str, status: int, part: slice) -> None:
    house.make_inputs()
    address = f"{V1}/batches/{begin(studio, presenters=['one'])}/clips.zip"
    house.make_clip()
    house.folders.clip(ClipKey("one", "one")).write_bytes(b"0123456789")
    whole = studio.get(address)
    tag = {"if-range": whole.headers["etag"]}
    answer = studio.get(address, headers=tag | {"range": asked})
    assert (answer.status_code, answer.content) == (status, whole.content[part])
    house.folders.clip(ClipKey("one", "one")).write_bytes(b"the new one")
    anew = studio.get(address, headers=tag | {"range": "bytes=20-"})
    assert anew.status_code == 200 and b"the new one" in anew.content


def test_the_zip_of_a_voice_is_fetched_by_range(studio: TestClient, house: House) -> None:
    assert studio.get(f"{V1}/voices/one/clips.zip").json()["code"] == "refused.not_made"
    house.folders.delivery("one").write_bytes(b"0123456789")
    part = studio.get(f"{V1}/voices/one/clips.zip", headers={"range": "bytes=-3"})
    assert (part.status_code, part.content) == (206, b"789")


@pytest.mark.parametrize("address", ["batches/Autumn", "clips/one/one"])
def test_what_was_cancelled_is_made_again_when_somebody_asks(studio: TestClient, house: House, address: str) -> None:
    house.make_inputs()
    begin(studio)
    studio.post(f"{V1}/{address}/cancel")
    told = studio.get(f"{V1}/clips/one/one").json()
    assert (told["state"], told["why"]["code"]) == ("failed", "clip.cancelled")
    studio.post(f"{V1}/{address}/retry")
    assert house.clip().state is State.READY


def test_a_failed_clip_says_why_and_is_tried_again(studio: TestClient, house: House) -> None:
    house.make_inputs()
    begin(studio)
    house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, {"heygem/sentence": "Broken."})
    (failed,) = studio.get(f"{V1}/clips?state=failed").json()
    assert failed["why"] == {"code": "verbatim", "values": {"text": "Broken."}, "sentence": "Broken."}
    assert studio.get(f"{V1}/clips/one/one/log").json()["subject"] == "one/one"
    assert studio.post(f"{V1}/batches/Autumn/retry").json()["counts"] == {"ready": 2}


def test_a_batch_is_renamed_and_deleted(studio: TestClient, house: House) -> None:
    begin(studio)
    assert studio.patch(f"{V1}/batches/Autumn", json={"title": "Winter"}).json()["name"] == "Winter"
    assert studio.get(f"{V1}/batches/Autumn").json()["code"] == "refused.no_batch"
    assert studio.delete(f"{V1}/batches/Winter").status_code == 204
    assert campaigns(house) == [] and house.plan().clips == {}


def test_a_voice_is_deleted(studio: TestClient, house: House) -> None:
    assert studio.delete(f"{V1}/voices/one").status_code == 204
    assert not (house.folders.voices / "one.wav").exists()
    assert studio.delete(f"{V1}/voices/one").json()["code"] == "refused.no_upload"


@pytest.mark.parametrize(
    "address", ["clips/..%2Fone/one/file", "clips/one/..%2F..%2Fx/file", "voices/..%2Fx/clips.zip"]
)
def test_no_address_leads_to_another_file(studio: TestClient, address: str) -> None:
    assert studio.get(f"{V1}/{address}").status_code == 404


def test_its_page_names_every_address_and_asks_for_nothing_outside(studio: TestClient) -> None:
    told = studio.get(f"{V1}/docs")
    assert told.status_code == 200
    for path in studio.get(f"{V1}/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in told.text
    assert not re.search("(src|href)=[\"'](https?:)?//", told.text)
    links = re.findall('href="([^"#]+)"', told.text)
    assert links and all(studio.get(f"{V1}/{link}").status_code == 200 for link in links)


def test_it_says_what_answers_and_which_engines_there_are(studio: TestClient) -> None:
    told = studio.get(f"{V1}/service").json()
    assert told["served"] is False and ".wav" in told["voice_endings"]
    engines = {engine["name"]: engine for engine in studio.get(f"{V1}/engines").json()}
    assert engines["warp"]["lack"] is None and engines["program"]["lack"]["code"] == "recipe.none_chosen"


def test_a_script_is_written_changed_and_deleted_as_a_voice(studio: TestClient, house: House) -> None:
    wanted = {"name": "welcome", "text": "Good morning.", "language": "en"}
    key = {"idempotency-key": "a"}
    first, again = (studio.post(f"{V1}/scripts", json=wanted, headers=key) for _ in range(2))
    assert (first.status_code, first.json()) == (201, {"key": "welcome.en", "file": "welcome.en.txt"})
    assert again.json() == first.json() and len(list(house.folders.scripts.iterdir())) == 1
    told = studio.get(first.headers["location"]).json()
    assert (told["text"], told["language"], told["sentences"]) == ("Good morning.", "en", [])
    changed = studio.patch(f"{V1}/scripts/welcome.en", json={"voice": "af_heart"}).json()
    assert (changed["text"], changed["voice"]) == ("Good morning.", "af_heart")
    (listed,) = studio.get(f"{V1}/scripts").json()
    assert (listed["key"], listed["spoken"]["now"], listed["spoken"]["language"]) == ("welcome.en", False, "en")
    begin(studio, voices=["welcome.en"])
    assert ClipKey("welcome.en", "one") in house.plan().clips
    assert studio.delete(f"{V1}/voices/welcome.en").status_code == 204
    assert studio.get(f"{V1}/scripts/welcome.en").json()["code"] == "refused.no_upload"


def test_a_script_is_brought_in_as_a_file_and_what_cannot_be_spoken_is_refused(studio: TestClient) -> None:
    answer = studio.put(f"{V1}/scripts/lesson.md", content=b"Good morning.")
    assert (answer.status_code, answer.json()) == (201, {"key": "lesson", "file": "lesson.md"})
    assert studio.put(f"{V1}/scripts/lesson.wav", content=b"x").json()["code"] == "refused.ending"
    wrong = studio.post(f"{V1}/scripts", json={"name": "a", "text": "Good morning.", "language": "not one"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "refused.unknown_choice")
    empty = studio.patch(f"{V1}/scripts/lesson", json={"text": " "})
    assert empty.status_code == 400 and empty.json()["code"].startswith("script.")
    assert "http" in {one["engine"] for one in studio.get(f"{V1}/speakers").json()}


def test_an_upload_is_tagged_and_used_in_part(studio: TestClient, house: House) -> None:
    house.make_inputs()
    begin(studio)
    house.make_clip()
    tagged = studio.patch(f"{V1}/presenters/one", json={"tags": ["Autumn", "team"]}).json()
    assert (tagged["tags"], tagged["trim"]) == (["Autumn", "team"], None)
    assert house.clip().state is State.DONE
    part = studio.patch(f"{V1}/presenters/one", json={"trim": {"start": 1.5}}).json()
    assert (part["tags"], part["trim"]) == (["Autumn", "team"], {"start": 1.5, "end": None})
    assert house.clip().state is State.WAITING
    whole = studio.patch(f"{V1}/presenters/one", json={"trim": None, "tags": []}).json()
    assert (whole["tags"], whole["trim"]) == ([], None) and house.clip().state is State.DONE
    assert [one["tags"] for one in studio.get(f"{V1}/voices").json()] == [[], []]


def test_what_can_be_no_tag_and_no_part_is_refused(studio: TestClient, house: House) -> None:
    refused = studio.patch(f"{V1}/voices/one", json={"tags": ["a,b"]})
    assert (refused.status_code, refused.json()["code"]) == (400, "tag.unusable")
    backwards = studio.patch(f"{V1}/voices/one", json={"trim": {"start": 3, "end": 2}})
    assert (backwards.status_code, backwards.json()["code"]) == (400, "refused.part")
    assert studio.patch(f"{V1}/voices/none", json={"tags": []}).json()["code"] == "refused.no_upload"
    studio.put(f"{V1}/scripts/lesson.md", content=b"Good morning.")
    script = studio.patch(f"{V1}/voices/lesson", json={"trim": {"start": 1}})
    assert (script.status_code, script.json()["code"]) == (400, "refused.part_of_script")
    assert not list(house.folders.scripts.glob("*.yaml"))


def test_start_and_end_go_with_what_they_were_of(studio: TestClient, house: House) -> None:
    sidecar = house.folders.voices / "one.yaml"
    studio.patch(f"{V1}/voices/one", json={"trim": {"start": 1}, "tags": ["kept"]})
    assert sidecar.exists()
    studio.put(f"{V1}/voices/new.wav?replace=one", content=b"other")
    told = studio.get(f"{V1}/voices/one").json()
    assert (told["trim"], told["tags"]) == (None, ["kept"]) and not sidecar.exists()
    studio.patch(f"{V1}/voices/one", json={"trim": {"start": 1}})
    studio.delete(f"{V1}/voices/one")
    studio.put(f"{V1}/voices/one.wav", content=b"another")
    told = studio.get(f"{V1}/voices/one").json()
    assert (told["trim"], told["tags"]) == (None, [])
