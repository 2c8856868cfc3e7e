"""A batch of the page is a campaign: what is chosen is made, and nothing else."""

import re
from datetime import UTC, datetime

import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from starlette.testclient import TestClient

from heygem_pipeline.campaigns.campaigns_folder import load_campaigns
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.planning.requests import read_requests
from heygem_pipeline.planning.status import State
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.house import CLIP, DagsterRunStatus, House
from heygem_pipeline_tests.studio.conftest import page, rules

CHOSEN = {"title": "Autumn: 第一课", "voices": ["one"], "presenters": ["one", "two"]}


def begin(studio: TestClient, **other: object) -> str:
    answer = studio.post("/api/v1/batches", json=CHOSEN | other)
    assert studio.get(answer.headers["location"]).json()["name"] == answer.json()["name"]
    return answer.json()["name"]


def several(studio: TestClient, what: str, *keys: str) -> list[dict[str, str]]:
    """Ask something of several clips at once."""
    named = [dict(zip(("voice", "presenter"), key.split("|"), strict=True)) for key in keys]
    answer = studio.post(f"/api/v1/clips/{what}", json={"clips": named})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_is_chosen_is_asked_for_and_nothing_else_is_wanted(studio: TestClient, house: House) -> None:
    begin(studio)
    assert set(house.plan().clips) == {ClipKey("one", "one"), ClipKey("one", "two")}
    assert read_requests(house.folders).clips == ["one|one", "one|two"]
    (batch,) = studio.get("/api/shown").json()["batches"]
    assert batch["title"] == "Autumn: 第一课" and batch["quality"] == "standard"


@pytest.mark.parametrize(("quality", "crf"), [("standard", 18), ("best", 14), ("small", 26)])
def test_quality_in_plain_words_becomes_settings(studio: TestClient, house: House, quality: str, crf: int) -> None:
    name = begin(studio, quality=quality, label="always")
    (campaign,) = load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable
    assert (campaign.settings.crf, campaign.settings.label.value) == (crf, "always")
    (batch,) = studio.get("/api/shown").json()["batches"]
    assert (batch["name"], batch["quality"], batch["label"]) == (name, quality, "always")


def test_two_batches_of_one_name_are_two(studio: TestClient, house: House) -> None:
    assert begin(studio) != begin(studio, presenters=["two"])
    assert len(studio.get("/api/shown").json()["batches"]) == 2


def test_a_clip_is_not_wanted_in_two_qualities(studio: TestClient, house: House) -> None:
    begin(studio)
    answer = studio.post("/api/v1/batches", json=CHOSEN | {"quality": "best"})
    assert answer.status_code == 409
    told = answer.json()
    assert (told["code"], told["values"]) == ("refused.other_quality", {"title": "Autumn: 第一课", "count": "2"})
    assert len(load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable) == 1


@pytest.mark.parametrize(
    "wrong", [{"voices": []}, {"quality": "ultra"}, {"engine": "none"}, {"voices": "one"}, {"title": "\0"}, {"more": 1}]
)
def test_what_cannot_be_chosen_is_refused(studio: TestClient, house: House, wrong: dict[str, object]) -> None:
    answer = studio.post("/api/v1/batches", json=CHOSEN | wrong)
    assert answer.status_code in (400, 422) and answer.json()["code"].startswith("refused.")
    assert not load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable


def test_a_name_with_signs_of_yaml_stays_a_name(studio: TestClient, house: House) -> None:
    title = "*a: {b}, 'c' # no"
    begin(studio, title=title)
    (campaign,) = load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable
    assert campaign.title == title


def test_after_the_last_batch_is_deleted_nothing_else_begins(studio: TestClient, house: House) -> None:
    name = begin(studio)
    studio.delete(f"/api/v1/batches/{name}")
    assert house.plan().clips == {}
    assert not load_campaigns(house.folders.campaigns, default_render_spec(settings())).everything


def test_the_clips_of_a_batch_go_with_it_unless_another_batch_has_them(studio: TestClient, house: House) -> None:
    house.make_inputs()
    first, second = begin(studio), begin(studio, title="Second", presenters=["two"])
    house.make_clip("one", "one")
    house.make_clip("one", "two")
    studio.delete(f"/api/v1/batches/{first}?clips=true")
    assert not house.folders.clip(ClipKey("one", "one")).exists()
    assert house.folders.clip(ClipKey("one", "two")).exists()
    studio.delete(f"/api/v1/batches/{second}")
    assert house.folders.clip(ClipKey("one", "two")).exists()


def test_without_any_batch_the_page_says_that_everything_is_made_by_itself(studio: TestClient, house: House) -> None:
    (batch,) = studio.get("/api/shown").json()["batches"]
    assert (batch["name"], batch["voices"], batch["presenters"]) == ("", ["one", "two"], ["one", "two"])


def test_in_an_empty_house_uploads_wait_for_the_button(house: House) -> None:
    for path in [*house.folders.voices.iterdir(), *house.folders.presenters.iterdir()]:
        path.unlink()
    house.take_in()
    with page(house, rules()) as studio:
        studio.put("/api/v1/voices/new.wav", content=b"sound")
        studio.put("/api/v1/presenters/new.mp4", content=b"picture")
    house.take_in()
    assert house.plan().clips == {}


def test_uploads_change_nobody_elses_way_of_working(studio: TestClient, house: House) -> None:
    studio.put("/api/v1/voices/new.wav", content=b"sound")
    house.take_in()
    assert len(house.plan().clips) == 6


def test_a_failed_clip_is_tried_again(studio: TestClient, house: House) -> None:
    house.make_inputs()
    begin(studio)
    house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, {"heygem/sentence": "Broken."})
    studio.app.state.studio.snapshot.expire()  # pyright: ignore[reportAttributeAccessIssue, reportFunctionMemberAccess]
    shown = studio.get("/api/shown").json()["clips"]["one|one"]
    assert (shown["state"], shown["why"]) == (
        "failed",
        {"code": "verbatim", "values": {"text": "Broken."}, "sentence": "Broken."},
    )
    (told, _) = several(studio, "retry", "one|one", "one|two", "no|such")
    assert (told["voice"], told["presenter"], told["state"]) == ("one", "one", "ready")
    assert house.clip().state is State.READY


def test_a_campaign_with_a_schedule_can_be_made_now(studio: TestClient, house: House) -> None:
    text = 'voices: one\npresenters: "*"\nschedule: 0 2 * * *\n'
    (house.folders.campaigns / "nightly.yaml").write_text(text)
    house.make_inputs()
    house.make_clip("one", "one")
    (batch,) = studio.get("/api/shown").json()["batches"]
    assert datetime.fromtimestamp(batch["scheduled"], UTC).strftime("%H:%M") == "02:00"
    assert [one["state"] for one in several(studio, "make", "one|one", "one|two", "two|two")] == ["done", "ready"]
    assert read_requests(house.folders).clips == ["one|two"]


def test_a_queued_clip_is_cancelled(studio: TestClient, house: House) -> None:
    house.make_inputs()
    begin(studio)
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "all"), "make_clip")
    house.run(CLIP, "one|one", DagsterRunStatus.QUEUED, origin=origin)
    assert [one["state"] for one in several(studio, "cancel", "one|one")] == ["failed"]
    assert read_requests(house.folders).clips == ["one|two"]
    assert studio.get("/api/shown").json()["clips"]["one|one"]["why"]["code"] == "clip.cancelled"


def test_a_voice_is_deleted_with_its_clips_but_not_while_a_run_works_on_it(studio: TestClient, house: House) -> None:
    house.make_inputs()
    house.make_clip()
    tags = {"dagster/partition/audio": "one", "dagster/partition/template": "two"}
    run = house.run(CLIP, "one|two", DagsterRunStatus.STARTED, tags)
    answer = studio.delete("/api/v1/voices/one")
    assert (answer.status_code, answer.json()["code"]) == (409, "refused.in_use")
    house.instance.delete_run(run)
    studio.delete("/api/v1/voices/one")
    assert not (house.folders.voices / "one.wav").exists() and not house.folders.clip(ClipKey("one", "one")).exists()
    assert (house.folders.voices / "two.wav").exists()


def test_the_language_of_a_voice_goes_into_its_batches(studio: TestClient, house: House) -> None:
    assert studio.post("/api/language", json={"voice": "one", "language": "zh-Hant"}).status_code == 200
    assert studio.post("/api/language", json={"voice": "two", "language": "nonsense"}).status_code == 400
    assert studio.get("/api/shown").json()["languages"] == {"one": "zh-Hant"}
    begin(studio)
    (campaign,) = load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable
    assert campaign.voices[0].language == "zh-Hant"


def test_a_run_that_has_told_nothing_yet_shows_no_percent(studio: TestClient, house: House) -> None:
    house.make_inputs()
    house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
    shown = studio.get("/api/shown").json()["clips"]["one|one"]
    assert shown["state"] == "running" and "share" not in shown


def test_a_batch_tells_another_program_but_none_inside_the_servers_network(
    studio: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = studio.post("/api/v1/batches", json=CHOSEN | {"webhook": "http://127.0.0.1:9/hook"})
    assert inside.status_code == 400 and inside.json()["code"] == "webhook.inside"
    wrong = studio.post("/api/v1/batches", json=CHOSEN | {"webhook": "nonsense"})
    assert wrong.json()["code"] == "webhook.no_address"
    monkeypatch.setattr("heygem_pipeline.studio.batches.place_of", lambda address, inside: "192.0.2.1")
    begin(studio, webhook="https://lms.example.edu/hook?key=1")
    (campaign,) = load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable
    assert campaign.webhook == "https://lms.example.edu/hook?key=1"
    (batch,) = studio.get("/api/shown").json()["batches"]
    assert batch["tells"] == "lms.example.edu"


def change(studio: TestClient, name: str, **what: object) -> dict[str, str]:
    answer = studio.patch(f"/api/v1/batches/{name}", json=what)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_batch_is_renamed_with_its_file_and_nothing_is_made_again(studio: TestClient, house: House) -> None:
    house.make_inputs()
    name = begin(studio)
    house.make_clip("one", "one")
    new = change(studio, name, title="Winter")["name"]
    assert new == "Winter" and sorted(path.name for path in house.folders.campaigns.glob("*.yaml")) == ["Winter.yaml"]
    (batch,) = studio.get("/api/shown").json()["batches"]
    assert (batch["name"], batch["title"]) == ("Winter", "Winter")
    assert house.clip("one", "one").state is State.DONE
    assert studio.patch(f"/api/v1/batches/{name}", json={"title": "x"}).status_code == 404


def test_clips_are_made_in_another_way_instead_and_what_was_written_by_hand_stays(
    studio: TestClient, house: House
) -> None:
    written = "# Anna's\nvoices: one\npresenters: '*'\nsettings:\n  audio_bitrate: 128k\nschedule: 0 2 * * *\n"
    (house.folders.campaigns / "mine.yaml").write_text(written)
    house.make_inputs()
    house.run(CLIP, "one|two", DagsterRunStatus.CANCELED)
    change(studio, "mine", quality="best", label="always")
    text = (house.folders.campaigns / "mine.yaml").read_text()
    assert text.startswith("# Anna's\n") and "schedule: 0 2 * * *" in text
    (campaign,) = load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable
    made = campaign.settings
    assert (made.crf, made.preset, made.label.value, made.audio_bitrate) == (14, "slow", "always", "128k")
    assert set(read_requests(house.folders).clips) == {"one|one", "one|two"}
    change(studio, "mine", quality="standard")
    assert "crf" not in (house.folders.campaigns / "mine.yaml").read_text()


def test_a_loudness_that_is_chosen_makes_these_clips_anew_and_taken_back_none(studio: TestClient, house: House) -> None:
    house.make_inputs()
    name = begin(studio)
    house.make_clip("one", "one")
    assert house.clip("one", "one").state is State.DONE
    assert "loudness" not in (house.folders.campaigns / f"{name}.yaml").read_text()
    change(studio, name, loudness="broadcast")
    assert house.clip("one", "one").state is State.STALE
    (campaign,) = load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable
    assert campaign.settings.loudness == -23
    (batch,) = studio.get("/api/shown").json()["batches"]
    assert batch["loudness"] == "broadcast"
    change(studio, name, loudness="as_is")
    assert house.clip("one", "one").state is State.DONE


@pytest.mark.parametrize(
    "wrong", [{"quality": "ultra"}, {"engine": "none"}, {"title": ""}, {"label": "off"}, {"loudness": "own"}]
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    studio: TestClient, house: House, wrong: dict[str, str]
) -> None:
    name = begin(studio)
    before = (house.folders.campaigns / f"{name}.yaml").read_text()
    assert studio.patch(f"/api/v1/batches/{name}", json=wrong).status_code in (400, 422)
    assert (house.folders.campaigns / f"{name}.yaml").read_text() == before


def test_a_batch_that_shares_clips_with_another_keeps_its_quality(studio: TestClient, house: House) -> None:
    first = begin(studio)
    begin(studio, title="Second", presenters=["two"])
    answer = studio.patch(f"/api/v1/batches/{first}", json={"quality": "best"})
    assert (answer.status_code, answer.json()["code"]) == (409, "refused.other_quality")


def test_the_page_lists_every_engine_with_speed_licence_and_what_is_missing(studio: TestClient) -> None:
    shown = " ".join(studio.get("/", headers={"accept-language": "en"}).text.split())
    chosen, missing = (re.search(rf'<option value="{name}"([^>]*)>', shown) for name in ("warp", "wav2lip"))
    assert chosen is not None and "disabled" not in chosen[1] and missing is not None and "disabled" in missing[1]
    assert "The presenter’s own mouth is moved</strong><br>Not used on this machine yet.<br>Apache-2.0" in shown
    # What is missing may say the terms already.
    assert shown.count("Research and personal use only") == 1
    assert "HEYGEM_ACKNOWLEDGED_LICENCES=wav2lip" in shown and "set HEYGEM_PROGRAM to one" in shown
