"""Scripts in the page: written, changed, spoken by a voice that was heard before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from heygem_pipeline.settings import settings
from heygem_pipeline.synthesis.script import read_script
from heygem_pipeline.synthesis.transcript import SpokenSentence, Transcript, write_transcript
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.conftest import page, rules
from heygem_pipeline_tests.synthesis.speech_server import SpeechServer, send, used_speech_server

KEY = "sk-key-that-nobody-may-see"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SpeechServer]:
    with used_speech_server(monkeypatch, KEY) as stand_in:
        yield stand_in


@pytest.fixture
def studio(house: House, server: SpeechServer) -> Iterator[TestClient]:
    house.folders.make()
    with page(house, rules()) as client:
        yield client


def write(studio: TestClient, **said: str) -> Any:
    return studio.post("/api/scripts", json={"name": "welcome", "text": "Hello.", **said})


def script(house: House, name: str) -> str:
    return (house.folders.scripts / name).read_text(encoding="utf-8")


def test_a_script_is_written_as_people_write_them(studio: TestClient, house: House) -> None:
    answer = write(studio, text="Guten Morgen.\n\nFragen?", language="de", engine="http", voice="nova")
    assert answer.json() == {"file": "welcome.de.txt"}
    read = read_script(house.folders.scripts / "welcome.de.txt")
    assert read.paragraphs == (("Guten Morgen.",), ("Fragen?",))
    assert (read.says.language, read.says.engine, read.says.voice) == ("de", "http", "nova")
    assert write(studio, language="de").json() == {"file": "welcome (2).de.txt"}


def test_a_change_keeps_the_key_and_what_somebody_wrote_besides(studio: TestClient, house: House) -> None:
    path = house.folders.scripts / "welcome.de.txt"
    path.write_text("---\nspeed: 0.9\nvoice: onyx\n---\nGuten Tag.\n", encoding="utf-8")
    house.take_in()
    before = studio.get("/api/scripts/welcome.de").json()
    assert (before["text"], before["language"], before["voice"]) == ("Guten Tag.", "de", "onyx")
    assert write(studio, key="welcome.de", name="", text="Guten Abend.", language="de", voice="nova").status_code == 200
    assert script(house, "welcome.de.txt") == "---\nvoice: nova\nspeed: 0.9\n---\nGuten Abend.\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" \n ", "script.empty"),
        ("!!! …", "script.no_words"),
        ("<speak>Hello</speak>", "script.markup"),
        ("word " * 10_000, "script.too_many_words"),
    ],
)
def test_what_cannot_be_spoken_is_told_at_once_and_not_stored(
    studio: TestClient, house: House, text: str, code: str
) -> None:
    answer = write(studio, text=text)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert "welcome.txt" in answer.json()["sentence"] and "receiving" not in answer.json()["sentence"]
    assert list(house.folders.scripts.iterdir()) == []


@pytest.mark.parametrize("name", ["../../state/x", "/etc/passwd", ".hidden", "a\\b", " ", "…" * 90, "x.de"])
def test_any_name_stays_in_the_folder(studio: TestClient, house: House, name: str) -> None:
    before = set(house.folders.root.rglob("*.txt"))
    assert write(studio, name=name).status_code == 200
    (new,) = set(house.folders.root.rglob("*.txt")) - before
    assert new.parent == house.folders.scripts and not new.name.startswith(".")


def test_a_text_that_begins_with_a_line_of_dashes_stays_a_text(studio: TestClient, house: House) -> None:
    write(studio, text="---\nvoice: this is no voice\n---\nHello.")
    assert "this is no voice" in " ".join(read_script(house.folders.scripts / "welcome.txt").sentences)


@pytest.mark.parametrize("line", ["nova\nspeed: 2", "nova\r", "a\x00b"])
def test_a_voice_is_one_line(studio: TestClient, line: str) -> None:
    assert write(studio, voice=line).status_code == 400


def test_voices_are_listed_with_what_they_lack(studio: TestClient) -> None:
    told = studio.get("/api/speakers").json()
    usual = told[0]
    assert (usual["engine"], usual["voice"], usual["language"], usual["lack"]) == ("http", "alloy", "", "")
    assert {one["engine"] for one in told} >= {"http"}


def test_a_voice_is_heard_before_and_made_once(studio: TestClient, server: SpeechServer, house: House) -> None:
    def sample(**said: str) -> Any:
        return studio.post("/api/speakers/sample", json={"engine": "http", "voice": "nova", "language": "de", **said})

    first = sample().json()["sample"]
    sound = studio.get(f"/files/samples/{first}.wav")
    assert sound.content.startswith(b"RIFF") and server.requests[0]["voice"] == "nova"
    assert "Guten Tag" in server.texts[0]
    assert sample().json()["sample"] == first and len(server.requests) == 1
    assert sample(language="fr").json()["sample"] != first and "Bonjour" in server.texts[1]


def test_a_server_that_refuses_is_told_in_a_sentence_without_its_key(studio: TestClient, server: SpeechServer) -> None:
    server.answers = [lambda handler, _: send(handler, f"<html>{KEY}</html>".encode(), 401)]
    answer = studio.post("/api/speakers/sample", json={"voice": "nova"})
    assert (answer.status_code, answer.json()["code"]) == (400, "speech_server.key_refused")
    assert KEY not in answer.text and len(server.requests) == 1


def test_a_dropped_script_is_a_voice_and_says_who_speaks_it(studio: TestClient, house: House) -> None:
    brought_in = studio.put("/api/v1/scripts/welcome.de.md", content=b"Guten Morgen.")
    assert brought_in.status_code == 201 and brought_in.json()["file"] == "welcome.de.md"
    assert studio.put("/api/v1/voices/welcome.md", content=b"x").json()["code"] == "refused.ending"
    house.take_in()
    (row,) = [voice for voice in studio.get("/api/shown").json()["voices"] if voice["key"] == "welcome.de"]
    assert row["spoken"] == {"now": False, "voice": "", "language": "de"}
    sentences = (SpokenSentence("Guten Morgen.", 0.0, 1.25, 0),)
    spoken = Transcript("welcome.de.md", "de", "http", "tts-1", "nova", 1.0, "version", "0123456789abcdef", sentences)
    house.folders.transcript("welcome.de").parent.mkdir(parents=True)
    write_transcript(spoken, house.folders.transcript("welcome.de"))
    studio.post("/api/language", json={"voice": "other", "language": ""})
    (row,) = [voice for voice in studio.get("/api/shown").json()["voices"] if voice["key"] == "welcome.de"]
    assert row["spoken"]["voice"] == "nova (http)" and row["mark"] == "0123456789ab"


def test_no_settings_reach_the_page(studio: TestClient) -> None:
    assert settings().speech_key.get_secret_value() == KEY
    for address in ("/", "/api/shown", "/api/speakers"):
        assert KEY not in studio.get(address).text


def test_a_script_that_is_no_text_is_told(studio: TestClient, house: House, tmp_path: Path) -> None:
    (house.folders.scripts / "old.txt").write_text("---\nno colon\n---\nHello.\n", encoding="utf-8")
    house.take_in()
    assert studio.get("/api/scripts/old").json()["code"] == "script.front_matter_line"
    assert studio.get("/api/scripts/none").status_code == 400


def test_subtitles_go_beside_their_recording_and_replace_what_lay_there(studio: TestClient, house: House) -> None:
    (house.folders.voices / "one.txt").write_text("One.")
    srt = "1\n00:00:00,000 --> 00:00:01,000\nOne.\n"

    def give(**said: str) -> Any:
        return studio.post("/api/texts", json={"voice": "one", "ending": ".srt", "text": srt, **said})

    assert give().json() == {"file": "one.srt"}
    assert (house.folders.voices / "one.srt").read_text() == srt
    assert not (house.folders.voices / "one.txt").exists()
    assert give(text="none").json()["code"] == "script.no_subtitles"
    assert give(ending=".sh").status_code == 400
    assert give(voice="../x").status_code == 400
    assert (house.folders.voices / "one.srt").read_text() == srt
