"""A script becomes a recording with its transcript and subtitles."""

import json
import wave
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.errors import PipelineError, SpeechServerUnusable
from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.storage.fingerprint import sha256_of
from heygem_pipeline.synthesis import recording
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.synthesis.recording import AFTER_PARAGRAPH, AFTER_SENTENCE, script_version, speak
from heygem_pipeline.synthesis.script import Script, read_script
from heygem_pipeline.synthesis.speech_spec import SpeechSpec, speech_spec
from heygem_pipeline.synthesis.synthesizer import Speech, SpokenPhoneme
from heygem_pipeline.synthesis.transcript import (
    LipSound,
    SpokenSentence,
    Transcript,
    read_transcript,
    web_vtt,
    write_transcript,
)
from heygem_pipeline_tests.synthesis.speech_server import SECONDS_A_LETTER, SpeechServer, hum, send, speaks
from heygem_pipeline_tests.synthesis.stand_in_engine import StandInEngine

TEXT = "Good morning. Today we begin 🎉.\n\nAny questions?"


@pytest.fixture
def script(tmp_path: Path) -> Script:
    (tmp_path / "welcome.en.txt").write_text(TEXT, encoding="utf-8")
    return read_script(tmp_path / "welcome.en.txt", SynthesisSettings())


@pytest.fixture
def spec(script: Script, chosen: SynthesisSettings) -> SpeechSpec:
    return speech_spec(script, chosen)


def samples_of(path: Path) -> tuple[NDArray[np.float32], int]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        content = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return (content / 32767).astype(np.float32), file.getframerate()


def test_what_is_spoken_stands_at_its_time(
    script: Script, spec: SpeechSpec, server: SpeechServer, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    transcript = speak(script, spec, tmp_path / "o.wav", lambda done, total: seen.append((done, total)))
    assert server.texts == ["Good morning.", "Today we begin.", "Any questions?"]
    assert [sentence.text for sentence in transcript.sentences] == list(script.sentences)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    samples, rate = samples_of(tmp_path / "o.wav")
    first, second, third = transcript.sentences
    assert (first.begin, second.paragraph, third.paragraph) == (0.0, 0, 1)
    assert second.begin - first.end == pytest.approx(AFTER_SENTENCE, abs=0.002)
    assert third.begin - second.end == pytest.approx(AFTER_PARAGRAPH, abs=0.002)
    assert third.end == pytest.approx(len(samples) / rate, abs=0.002)
    for sentence in transcript.sentences:
        said = samples[round(sentence.begin * rate) : round(sentence.end * rate)]
        assert np.mean(np.abs(said) > 0.02) > 0.8
        assert sentence.end - sentence.begin < SECONDS_A_LETTER * len(sentence.text) + 0.2
    for before, after in pairwise(transcript.sentences):
        assert not samples[round(before.end * rate) + 1 : round(after.begin * rate) - 1].any()


AS_WRITTEN = "Am 3. Mai um 9.30 Uhr: 2,5 l Wasser, 100 °C, 3 €, 12/5/2026 und 50 %."


def test_numbers_dates_and_units_are_given_to_the_engine_as_they_are_written(
    chosen: SynthesisSettings, server: SpeechServer, tmp_path: Path
) -> None:
    (tmp_path / "units.de.txt").write_text(AS_WRITTEN, encoding="utf-8")
    script = read_script(tmp_path / "units.de.txt")
    speak(script, speech_spec(script, chosen), tmp_path / "o.wav")
    assert server.texts == [AS_WRITTEN]


def test_the_transcript_says_who_spoke_and_is_kept(script: Script, spec: SpeechSpec, tmp_path: Path) -> None:
    transcript = speak(script, spec, tmp_path / "o.wav")
    assert (transcript.engine, transcript.engine_version, transcript.voice) == ("http", "tts-1", "alloy")
    assert (transcript.script, transcript.language, transcript.synthetic) == ("welcome.en.txt", "en", True)
    assert transcript.sha256 == sha256_of(tmp_path / "o.wav")
    write_transcript(transcript, tmp_path / "o.json")
    assert read_transcript(tmp_path / "o.json") == transcript


def test_a_transcript_of_another_version_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text('{"sentences": [], "mood": 1}')
    with pytest.raises(KeyError):
        read_transcript(tmp_path / "o.json")


def test_a_failure_leaves_what_was_there(
    script: Script, spec: SpeechSpec, server: SpeechServer, tmp_path: Path
) -> None:
    (tmp_path / "o.wav").write_bytes(b"before")
    server.answers = [speaks, lambda handler, _: send(handler, b"", 400)]
    with pytest.raises(SpeechServerUnusable):
        speak(script, spec, tmp_path / "o.wav")
    assert (tmp_path / "o.wav").read_bytes() == b"before"
    assert {path.name for path in tmp_path.iterdir()} == {"o.wav", "welcome.en.txt"}
    assert len(server.requests) == 2


class Fake(StandInEngine):
    """An engine that returns what it was given."""

    name, version = "fake", "1"

    def __init__(self, *speeches: Speech) -> None:
        self._speeches = list(speeches)

    def synthesize(self, text: str, voice: str, language: str, speed: float) -> Speech:
        return self._speeches.pop(0)


def tone(seconds: float, rate: int) -> Speech:
    time = np.arange(round(seconds * rate)) / rate
    return Speech((0.5 * np.sin(2 * np.pi * 200 * time)).astype(np.float32), rate)


def by(spec: SpeechSpec, *speeches: Speech) -> SpeechSpec:
    return replace(spec, engine=Fake(*speeches))  # pyright: ignore[reportArgumentType]


def test_rates_that_change_are_brought_to_the_first(script: Script, spec: SpeechSpec, tmp_path: Path) -> None:
    speeches = tone(1, 24000), tone(1, 16000), tone(1, 44100)
    transcript = speak(script, by(spec, *speeches), tmp_path / "o.wav")
    samples, rate = samples_of(tmp_path / "o.wav")
    assert rate == 24000
    for sentence in transcript.sentences:
        said = samples[round(sentence.begin * rate) : round(sentence.end * rate)]
        assert sentence.end - sentence.begin == pytest.approx(1, abs=0.01)
        assert np.argmax(np.abs(np.fft.rfft(said[:12000]))) * rate / 12000 == pytest.approx(200, abs=2)


def told(*phonemes: tuple[str, float, float]) -> Speech:
    """A tone of a second after half a second of silence, with what is said when."""
    samples = np.concatenate([np.zeros(12000, np.float32), tone(1, 24000).samples])
    return Speech(samples, 24000, tuple(SpokenPhoneme(*one) for one in phonemes))


def test_sounds_of_the_lips_stand_where_they_are_heard(script: Script, spec: SpeechSpec, tmp_path: Path) -> None:
    first = told(("m", 0.6, 0.7), ("a", 0.7, 0.9), ("f", 0.9, 1.0))
    second, third = told(("a", 0.5, 1.5)), told((" ", 0.0, 0.4), ("p", 1.2, 1.3))
    transcript = speak(script, by(spec, first, second, third), tmp_path / "o.wav")
    # The silence is cut off but for 50 ms.
    third_begins = transcript.sentences[2].begin
    assert transcript.lip_sounds == (
        LipSound("m", 0.15, 0.25),
        LipSound("f", 0.45, 0.55),
        LipSound("p", pytest.approx(third_begins + 0.75, abs=0.002), pytest.approx(third_begins + 0.85, abs=0.002)),  # pyright: ignore[reportArgumentType]
    )
    write_transcript(transcript, tmp_path / "o.json")
    assert read_transcript(tmp_path / "o.json") == transcript


@pytest.mark.parametrize("times", [(-0.1, 0.2), (0.7, 0.6), (float("nan"), 1.0)])
def test_times_that_cannot_be_count_for_nothing(
    times: tuple[float, float], script: Script, spec: SpeechSpec, tmp_path: Path
) -> None:
    speeches = told(("m", *times)), told(("m", 0.6, 0.7)), told(("m", 0.6, 0.7))
    assert speak(script, by(spec, *speeches), tmp_path / "o.wav").lip_sounds is None


def test_sounds_that_are_told_of_some_sentences_alone_count_for_nothing(
    script: Script, spec: SpeechSpec, tmp_path: Path
) -> None:
    speeches = told(("m", 0.6, 0.7)), tone(1, 24000), told(("m", 0.6, 0.7))
    assert speak(script, by(spec, *speeches), tmp_path / "o.wav").lip_sounds is None


def test_a_transcript_of_before_is_read(script: Script, spec: SpeechSpec, tmp_path: Path) -> None:
    transcript = speak(script, spec, tmp_path / "o.wav")
    stored = transcript.as_json()
    del stored["lip_sounds"]
    (tmp_path / "o.json").write_text(json.dumps(stored), encoding="utf-8")
    assert read_transcript(tmp_path / "o.json") == transcript


SILENT = Speech(np.zeros(24000, np.float32), 24000)
NO_NUMBERS = Speech(np.full(24000, np.nan, np.float32), 24000)
WRONG = {"silence": SILENT, "no numbers": NO_NUMBERS, "nothing": Speech(np.zeros(0, np.float32), 24000)}


@pytest.mark.parametrize("what", WRONG)
def test_silence_is_no_speech(what: str, script: Script, spec: SpeechSpec, tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as caught:
        speak(script, by(spec, WRONG[what]), tmp_path / "o.wav")
    assert caught.value.code == "synthesis.silent"


def test_an_engine_that_stammers_on_is_told(script: Script, spec: SpeechSpec, tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as caught:
        speak(script, by(spec, tone(60, 8000)), tmp_path / "o.wav")
    assert caught.value.code == "synthesis.stammers"


def test_all_that_a_recording_is_made_of_changes_its_version(
    script: Script, spec: SpeechSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = script_version(script, spec)
    assert version == script_version(replace(script, file="other.txt"), spec)
    others = [
        script_version(replace(script, paragraphs=script.paragraphs[1:]), spec),
        script_version(replace(script, paragraphs=(script.sentences,)), spec),
        *(script_version(script, replace(spec, **one)) for one in ({"voice": "x"}, {"language": "x"}, {"speed": 0.9})),
        script_version(script, by(spec)),
    ]
    monkeypatch.setattr(recording, "SYNTHESIS_VERSION", "next")
    assert len({version, *others, script_version(script, spec)}) == len(others) + 2


def test_the_script_counts_before_its_campaign_and_that_before_the_settings(script: Script) -> None:
    settings = SynthesisSettings(speech_voice="usual", speech_speed=1.5)
    plain = replace(script, says=FrontMatter())
    assert (spec := speech_spec(plain, settings)).voice == "usual"
    assert (spec.language, spec.speed) == ("", 1.5)
    ordered = FrontMatter("fr", "http", "ordered", 0.8)
    spec = speech_spec(plain, settings, ordered)
    assert (spec.voice, spec.language, spec.speed) == ("ordered", "fr", 0.8)
    spec = speech_spec(replace(script, says=FrontMatter("en", None, "said", 2.0)), settings, ordered)
    assert (spec.voice, spec.language, spec.speed) == ("said", "en", 2.0)


def test_the_usual_voice_belongs_to_the_usual_engine(script: Script) -> None:
    settings = SynthesisSettings(speech_engine="kokoro", speech_voice="jf_alpha")
    assert speech_spec(replace(script, says=FrontMatter(engine="http")), settings).voice == "alloy"


def test_an_engine_that_does_not_exist_is_told(script: Script) -> None:
    with pytest.raises(PipelineError) as caught:
        speech_spec(replace(script, says=FrontMatter(engine="kokorro")), SynthesisSettings())
    assert caught.value.code == "script.engine"
    assert '"kokoro"' in str(caught.value)
    with pytest.raises(PipelineError) as caught:
        speech_spec(script, SynthesisSettings(speech_engine="kokorro"))
    assert caught.value.code == "synthesizer.unknown"


def test_subtitles_are_short_lines_that_follow_each_other() -> None:
    long = "word " * 40
    vtt = web_vtt([SpokenSentence("A <b> & c", 0, 1.5, 0), SpokenSentence(long.strip(), 3600.25, 3616.25, 1)])
    head, first, *rest = vtt.strip().split("\n\n")
    assert (head, first) == ("WEBVTT", "00:00:00.000 --> 00:00:01.500\nA &lt;b&gt; &amp; c")
    assert rest[0].startswith("01:00:00.250 --> ")
    assert rest[-1].split("\n")[0].endswith(" --> 01:00:16.250")
    for before, after in pairwise(rest):
        assert before.split("\n")[0].split(" --> ")[1] == after.split("\n")[0].split(" --> ")[0]
    assert " ".join(" ".join(cue.split("\n")[1:]) for cue in rest).split() == long.split()
    assert all(len(cue.split("\n")) <= 3 and max(map(len, cue.split("\n")[1:])) <= 42 for cue in rest)


def test_subtitles_of_scripts_without_spaces_are_broken_too() -> None:
    text = "字" * 50
    cues = web_vtt([SpokenSentence(text, 0, 10, 0)]).strip().split("\n\n")[1:]
    lines = [line for cue in cues for line in cue.split("\n")[1:]]
    assert "".join(lines) == text
    assert max(map(len, lines)) == 21


def test_a_stereo_file_of_another_format_is_taken_too(
    script: Script, spec: SpeechSpec, server: SpeechServer, tmp_path: Path
) -> None:
    server.answers = [lambda handler, wanted: send(handler, hum(wanted["input"], 44100))]
    speak(script, spec, tmp_path / "o.wav")
    assert samples_of(tmp_path / "o.wav")[1] == 44100


def test_transcripts_are_made_of_plain_values(script: Script, spec: SpeechSpec, tmp_path: Path) -> None:
    transcript = speak(script, spec, tmp_path / "o.wav")
    assert isinstance(transcript, Transcript)
    assert set(transcript.as_json()["sentences"][0]) == {"text", "begin", "end", "paragraph"}
