"""What the page gets: progress, time left, and why something failed, in its language."""

import json
import os
from dataclasses import replace
from time import time

import pytest
from dagster import DagsterRunStatus
from starlette.testclient import TestClient

from heygem_pipeline.messages.message import Message, verbatim
from heygem_pipeline.planning.time_left import Estimate
from heygem_pipeline.runs.failure_reasons import reason_tag
from heygem_pipeline.runs.progress import Progress, write_progress
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio import snapshot
from heygem_pipeline.studio.first_look import FirstLook, record_of
from heygem_pipeline.synthesis.transcript import SpokenSentence, Transcript, write_transcript
from heygem_pipeline.uploads.registry import UploadKind
from heygem_pipeline_tests.house import CLIP, PRESENTER, House

NOTHING = FirstLook(0, 0)
CHINESE = {"accept-language": "zh"}


def look(folders: DataFolders, kind: UploadKind, file: str, found: FirstLook = NOTHING) -> None:
    """Note what was found at the first look at an upload."""
    path = (folders.voices if kind is UploadKind.VOICE else folders.presenters) / file
    status = path.stat()
    record = record_of(folders.first_look(kind, file))
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(replace(found, size=status.st_size, modified=status.st_mtime_ns).as_json()))


def look_at_all(folders: DataFolders) -> None:
    for file in ("one", "two"):
        look(folders, UploadKind.VOICE, f"{file}.wav", replace(NOTHING, seconds=10.0))
        look(folders, UploadKind.PRESENTER, f"{file}.mp4")


def test_progress_is_noticed_though_nothing_else_has_changed(
    studio: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SECONDS_BETWEEN_READINGS", 0.0)
    house.make_inputs()
    look_at_all(house.folders)
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
    before = studio.get("/api/shown").json()
    assert "share" not in before["clips"]["one|one"]
    write_progress(house.folders, run_id, Progress("encoded_video", 30, 60, time() - 10, time()))
    after = studio.get("/api/shown").json()
    assert after["clips"]["one|one"]["share"] == 0.75 and after["version"] != before["version"]


def test_the_time_left_is_told_of_a_clip_and_of_the_whole(
    studio: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "estimate_of", lambda *_: Estimate(start=4.0, each=2.0))
    house.make_inputs()
    look_at_all(house.folders)
    house.make_clip("two", "two")
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
    write_progress(house.folders, run_id, Progress("encoded_video", 30, 60, time() - 10, time()))
    shown = studio.get("/api/shown").json()
    assert shown["clips"]["one|one"]["left"] == 6
    assert (shown["clips"]["one|two"]["voice"], shown["clips"]["one|two"]["presenter"]) == ("one", "two")
    assert [batch["left"] for batch in shown["batches"]] == [6 + 24 + 24]
    assert shown["estimated"] and {voice["clip_seconds"] for voice in shown["voices"]} == {24.0}


def test_without_earlier_clips_nobody_tells_how_long_the_whole_takes(studio: TestClient, house: House) -> None:
    house.make_inputs()
    look_at_all(house.folders)
    shown = studio.get("/api/shown").json()
    assert ([batch["left"] for batch in shown["batches"]], shown["estimated"]) == ([None], False)
    assert {voice["clip_seconds"] for voice in shown["voices"]} == {None}


def test_what_failed_is_told_in_the_language_of_whoever_asks(studio: TestClient, house: House) -> None:
    house.make_inputs()
    house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, reason_tag(Message("run.unexpected", error="OSError: no")))
    english, chinese = (
        studio.get("/api/shown", headers=headers).json() for headers in ({"accept-language": "en"}, CHINESE)
    )
    assert english["clips"]["one|one"]["why"]["sentence"].startswith("Something went wrong")
    why = chinese["clips"]["one|one"]["why"]
    assert (why["code"], why["sentence"][:5]) == ("run.unexpected", "服务器出错")
    assert english["version"] != chinese["version"]


@pytest.mark.parametrize(("code", "shown"), [("face.frames_without", True), ("speech.none", False)])
def test_a_frame_is_shown_with_what_a_frame_shows(studio: TestClient, house: House, code: str, shown: bool) -> None:
    house.make_inputs()
    house.folders.tracks("one").unlink()
    reason = Message(code, missing=2, frames=9)
    look(house.folders, UploadKind.PRESENTER, "one.mp4", replace(NOTHING, picture=True, trouble=reason))
    house.run(PRESENTER, "one", DagsterRunStatus.FAILURE, reason_tag(reason))
    presenter = next(one for one in studio.get("/api/shown").json()["presenters"] if one["key"] == "one")
    assert (presenter["refused"]["code"], presenter["trouble"]) == (code, shown)


def test_a_doubt_of_the_first_look_is_told_until_the_pipeline_has_looked(studio: TestClient, house: House) -> None:
    look(house.folders, UploadKind.VOICE, "one.wav", replace(NOTHING, refused=verbatim("It is odd.")))
    voice = next(one for one in studio.get("/api/shown").json()["voices"] if one["key"] == "one")
    assert (voice["refused"], voice["doubt"]["sentence"]) == (None, "It is odd.")


def test_a_name_that_is_no_utf8_is_shown_by_its_bytes(studio: TestClient, house: House) -> None:
    house.make_inputs()
    name = os.fsdecode(b"\xbd\xb2.wav")
    (house.folders.voices / name).write_bytes(b"")
    look(house.folders, UploadKind.VOICE, name, replace(NOTHING, refused=Message("file.empty", file=name)))
    answer = studio.get("/api/shown")
    assert answer.status_code == 200
    (voice,) = (voice for voice in answer.json()["voices"] if voice["file"].startswith("\\x"))
    assert voice["file"] == r"\xbd\xb2.wav" and r"\xbd\xb2.wav is empty" in voice["doubt"]["sentence"]


def test_a_script_is_shown_as_the_voice_it_becomes_and_its_recording_can_be_heard(
    studio: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = house.folders
    folders.scripts.mkdir(exist_ok=True)
    (folders.scripts / "lesson.de.txt").write_text("Guten Morgen.")
    (folders.scripts / "empty.txt").write_text(" ")
    house.take_in()
    shown = {voice["key"]: voice for voice in studio.get("/api/shown", headers=CHINESE).json()["voices"]}
    assert set(shown) == {"one", "two", "lesson.de", "empty"}
    assert (shown["lesson.de"]["file"], shown["lesson.de"]["seconds"]) == ("lesson.de.txt", None)
    assert "empty.txt" in shown["empty"]["refused"]["sentence"]
    assert studio.get("/files/voices/lesson.de").status_code == 404

    sentences = (SpokenSentence("Guten Morgen.", 0.0, 1.25, 0),)
    transcript = Transcript("lesson.de.txt", "de", "http", "tts-1", "alloy", 1.0, "v", "s", sentences)
    write_transcript(transcript, folders.transcript("lesson.de"))
    folders.spoken("lesson.de").write_bytes(b"RIFF sound")
    (folders.scripts / "lesson.de.txt").write_text("Guten Tag.")
    house.take_in()
    assert studio.get("/files/voices/lesson.de").content == b"RIFF sound"
    monkeypatch.setattr(snapshot, "SECONDS_BETWEEN_READINGS", 0.0)
    again = {voice["key"]: voice for voice in studio.get("/api/shown").json()["voices"]}
    assert again["lesson.de"]["seconds"] == 1.25
