"""Bringing in: whole files under safe names, and nothing else."""

import errno

import pytest
from dagster import DagsterRunStatus
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from heygem_pipeline.clip.sidecar import Sidecar, read_sidecar
from heygem_pipeline.planning.status import State
from heygem_pipeline.settings import settings
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import UPLOADS_OF_A_PERSON
from heygem_pipeline.studio.uploads import safe_name
from heygem_pipeline.uploads.registry import UploadKind, Uploads
from heygem_pipeline_tests.house import CLIP, House
from heygem_pipeline_tests.studio.conftest import page, rules

ZERO_WIDTH_JOINER = "\u200d"
"""Holds emoji together: the one control character a name keeps."""


def test_a_file_arrives_under_its_name(studio: TestClient, house: House) -> None:
    answer = studio.put("/api/v1/voices/%E7%AC%AC%E4%B8%80%E8%AF%BE.wav", content=b"sound")
    assert answer.json() == {"key": "第一课", "file": "第一课.wav"}
    assert (house.folders.voices / "第一课.wav").read_bytes() == b"sound"


def test_no_file_is_written_over(studio: TestClient, house: House) -> None:
    before = (house.folders.voices / "one.wav").read_bytes()
    assert studio.put("/api/v1/voices/one.wav", content=b"other").json()["file"] == "one (2).wav"
    assert (house.folders.voices / "one.wav").read_bytes() == before


@pytest.mark.parametrize("name", ["..%2F..%2Fstate%2Fx.wav", "%2Fetc%2Fx.wav", "..%5Cx.wav", ".x.wav", "a/b/../x.wav"])
def test_no_name_leads_outside_the_folder(studio: TestClient, house: House, name: str) -> None:
    before = {path for path in house.folders.root.rglob("*") if path.is_file()}
    answer = studio.put(f"/api/v1/voices/{name}", content=b"sound")
    new = {path for path in house.folders.root.rglob("*.wav") if path.is_file()} - before
    assert answer.status_code in (201, 404, 405)
    assert new <= {house.folders.voices / "x.wav"}


@given(st.text(max_size=300))
def test_any_name_becomes_one_plain_name_or_is_refused(name: str) -> None:
    try:
        safe = safe_name(name + ".mp4", UploadKind.PRESENTER)
    except Refusal:
        return
    assert "/" not in safe and "\0" not in safe and not safe.startswith((".", "~"))
    assert len(safe.encode("utf-8", "surrogatepass")) <= 255
    assert safe.replace(ZERO_WIDTH_JOINER, "").isprintable()


@pytest.mark.parametrize("name", ["page.html", "run.sh", "noending", "one.yaml", "picture.jpg"])
def test_other_kinds_of_file_are_refused_in_words(studio: TestClient, house: House, name: str) -> None:
    answer = studio.put(f"/api/v1/voices/{name}", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (400, "refused.ending")
    assert not (house.folders.voices / name).exists()


def test_what_is_too_large_is_refused_before_it_is_sent(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_STUDIO_MAX_GB", "0.000001")
    settings.cache_clear()
    with page(house, rules()) as studio:
        answer = studio.put("/api/v1/voices/large.wav", content=b"x" * 2000)
    assert (answer.status_code, answer.json()["code"]) == (413, "refused.too_large")


def test_a_length_must_be_said_and_kept(studio: TestClient, house: House) -> None:
    def pieces():  # noqa: ANN202
        yield b"sound"

    assert studio.put("/api/v1/voices/a.wav", content=pieces()).status_code == 411
    short = studio.put("/api/v1/voices/a.wav", content=b"sound", headers={"content-length": "9"})
    assert short.json()["code"] == "refused.cut_off"
    assert not list(house.folders.voices.glob("a*")) and not list(house.folders.voices.glob(".receiving*"))


def test_a_full_disk_is_told_before_anything_is_written(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_KEEP_FREE_GB", "1000000")
    settings.cache_clear()
    with page(house, rules()) as studio:
        answer = studio.put("/api/v1/voices/a.wav", content=b"sound")
    assert (answer.status_code, answer.json()["code"]) == (507, "refused.no_room")


def test_nothing_is_put_below_a_disk_that_is_away(studio: TestClient, house: House) -> None:
    house.folders.voices.rename(house.folders.root / "disk")
    house.folders.voices.mkdir()
    answer = studio.put("/api/v1/voices/new.wav", content=b"sound")
    assert answer.status_code == 503 and "a disk may be away" in answer.text
    assert list(house.folders.voices.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_is_told_in_words(
    studio: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("heygem_pipeline.studio.uploads.os.fsync", full)
        answer = studio.put("/api/v1/voices/new.wav", content=b"sound")
    assert (answer.status_code, answer.json()["code"]) == (507, "refused.no_room")
    assert {path.name for path in house.folders.voices.iterdir()} == {"one.wav", "two.wav"}


def test_one_person_uploads_a_few_files_at_a_time_and_holds_up_nobody_else(house: House) -> None:
    with page(house, rules(header="X-Remote-User")) as studio:
        shared = studio.app.state.studio  # pyright: ignore[reportAttributeAccessIssue, reportFunctionMemberAccess]
        shared.receiving_of["user anna"] = UPLOADS_OF_A_PERSON
        for name, status in (("anna", 429), ("ben", 201)):
            answer = studio.put(f"/api/v1/voices/{name}.wav", content=b"sound", headers={"X-Remote-User": name})
            assert answer.status_code == status
        assert not shared.receiving_of["user ben"], "what ended is not counted"


def test_a_voice_is_replaced_under_its_name_and_its_clips_are_out_of_date(studio: TestClient, house: House) -> None:
    house.make_inputs()
    house.make_clip("one", "one")
    assert studio.put("/api/v1/voices/retake.wav?replace=one", content=b"said anew").json()["file"] == "one.wav"
    assert (house.folders.voices / "one.wav").read_bytes() == b"said anew"
    house.take_in()
    house.make_inputs()
    assert house.clip("one", "one").state is State.STALE and house.clip("two", "one").state is State.READY


def test_what_replaces_may_have_another_ending_and_keeps_the_key(studio: TestClient, house: House) -> None:
    answer = studio.put("/api/v1/presenters/better.MOV?replace=one", content=b"moving")
    assert answer.json() == {"key": "one", "file": "one.mov"}
    house.take_in()
    known = Uploads(house.folders).known(UploadKind.PRESENTER)
    assert sorted(known) == ["one", "two"] and known["one"].file == "one.mov"
    assert not (house.folders.presenters / "one.mp4").exists()


def test_what_cannot_be_replaced_stays(studio: TestClient, house: House) -> None:
    (house.folders.voices / "one.mp3").write_bytes(b"another")
    house.take_in()
    before = {path.name: path.read_bytes() for path in house.folders.voices.iterdir()}
    for replaced, name, status in (
        ("one", "new.mp3", 400),
        ("one (mp3)", "new.wav", 400),
        ("none", "new.wav", 404),
        ("../state", "new.wav", 404),
        ("one", "new.txt", 400),
    ):
        answer = studio.put(f"/api/v1/voices/{name}", params={"replace": replaced}, content=b"new")
        assert answer.status_code == status, answer.text
    assert {path.name: path.read_bytes() for path in house.folders.voices.iterdir()} == before
    assert studio.put("/api/v1/voices/new.mp3?replace=one%20(mp3)", content=b"new").json()["file"] == "one.mp3"


def test_a_photograph_moves_or_keeps_still_as_somebody_ticks(studio: TestClient, house: House) -> None:
    (house.folders.presenters / "photo.png").write_bytes(b"picture")
    house.take_in()

    def moving() -> dict[str, bool | None]:
        return {one["key"]: one["moving"] for one in studio.get("/api/shown").json()["presenters"]}

    assert moving() == {"one": None, "two": None, "photo": True}
    assert studio.patch("/api/v1/presenters/photo", json={"moving": False}).status_code == 200
    assert moving()["photo"] is False
    assert (house.folders.presenters / "photo.yaml").read_text() == "moving: false\n"
    refused = studio.patch("/api/v1/presenters/one", json={"moving": True})
    assert refused.status_code == 400 and refused.json()["code"] == "refused.no_photograph"
    assert not (house.folders.presenters / "one.yaml").exists()


def test_a_presenter_whose_head_is_turned_is_made_anyway_when_somebody_says_so(
    studio: TestClient, house: House
) -> None:
    (house.folders.presenters / "two.yaml").write_text("# for the profile\ntracker: mesh\nmake_anyway: false\n")
    house.make_inputs()
    house.run(CLIP, "one|two", DagsterRunStatus.FAILURE, {"heygem/sentence": "Turned away."})
    assert studio.post("/api/anyway", json={"presenter": "none"}).status_code == 400
    assert studio.post("/api/anyway", json={"presenter": "two"}).status_code == 200
    assert read_sidecar(house.folders.presenters / "two.mp4") == Sidecar("mesh", make_anyway=True)
    assert "# for the profile" in (house.folders.presenters / "two.yaml").read_text()
    assert house.clip("one", "two").state is State.READY
