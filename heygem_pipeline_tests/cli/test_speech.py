"""``heygem speak`` and ``heygem voices``, with a stand-in speech server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.synthesis.speech_server import SpeechServer, send, used_speech_server

KEY = "sk-secret-key-of-a-team"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SpeechServer]:
    with used_speech_server(monkeypatch, KEY) as stand_in:
        yield stand_in


def test_a_script_becomes_a_recording_with_its_times_and_subtitles(server: SpeechServer, tmp_path: Path) -> None:
    (tmp_path / "welcome.de.txt").write_text("Guten Morgen. Wir beginnen.", encoding="utf-8")
    done = heygem(
        *("speak", "--script", tmp_path / "welcome.de.txt", "--output", tmp_path / "o.wav"),
        *("--voice", "nova", "--speed", "0.9", "--language", "fr"),
    )
    assert done.exit_code == 0, done.stderr
    assert "4 words" in done.stdout and "voice nova" in done.stdout
    said = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert (said["language"], said["voice"], said["speed"], said["synthetic"]) == ("de", "nova", 0.9, True)
    assert [sentence["text"] for sentence in said["sentences"]] == ["Guten Morgen.", "Wir beginnen."]
    assert (tmp_path / "o.vtt").read_text(encoding="utf-8").count(" --> ") == 2
    assert KEY not in done.output + (tmp_path / "o.json").read_text(encoding="utf-8")


REFUSED = {
    "no script": (["--script", "gone.txt", "--output", "o.wav"], 2, "gone.txt"),
    "another ending": (["--script", "a.txt", "--output", "o.mp3"], 2, ".wav"),
    "another engine": (["--script", "a.txt", "--output", "o.wav", "--engine", "htpt"], 2, '"http"'),
    "a language that nobody speaks": (
        ["--script", "a.txt", "--output", "o.wav", "--engine", "kokoro", "--language", "de"],
        2,
        "does not speak de",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_spoken_is_one_sentence(
    what: str, server: SpeechServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("Hello.")
    arguments, status, said = REFUSED[what]
    done = heygem("speak", *arguments)
    assert done.exit_code == status
    assert said in done.stderr and len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]
    assert not server.requests


def test_a_server_that_refuses_leaves_nothing(server: SpeechServer, tmp_path: Path) -> None:
    server.answers = [lambda handler, _: send(handler, f"your key {KEY}".encode(), 401)]
    (tmp_path / "a.txt").write_text("Hello.")
    done = heygem("speak", "--script", tmp_path / "a.txt", "--output", tmp_path / "o.wav")
    assert done.exit_code == 3 and "refuses the key" in done.stderr
    assert KEY not in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_engines_are_listed_with_their_voices_and_what_they_lack(tmp_path: Path) -> None:
    done = heygem("voices", HEYGEM_CHECKPOINTS=str(tmp_path), HEYGEM_SPEECH_ENGINE="kokoro")
    assert done.exit_code == 0, done.stderr
    assert "kokoro (for scripts that name none)" in done.stdout
    assert "alloy" in done.stdout
    assert "HEYGEM_SPEECH_ADDRESS" in done.stderr
