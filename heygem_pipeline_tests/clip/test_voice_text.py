"""What a voice says: beside its recording, or of its script."""

from pathlib import Path

import pytest

from heygem_pipeline.clip.sidecar import write_trim
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.clip.voice_text import text_beside, text_of_script, text_versions
from heygem_pipeline.media.trim import Trim
from heygem_pipeline.storage.fingerprint import sha256_of
from heygem_pipeline.synthesis.transcript import SpokenSentence, Transcript, write_transcript
from heygem_pipeline_tests.conftest import write_voice

SRT = "1\n00:00:00,100 --> 00:00:00,700\nGuten Morgen.\n"


@pytest.fixture
def voice(tmp_path: Path) -> Voice:
    write_voice(tmp_path / "welcome.de.wav", 1.0)
    return analyse_voice(tmp_path / "welcome.de.wav")


def test_without_a_text_nothing_is_said(voice: Voice) -> None:
    assert text_beside(voice) is None
    assert text_versions({"welcome.de": voice.path}) == {}


def test_subtitles_beside_a_recording_are_taken_with_their_language(voice: Voice) -> None:
    voice.path.with_suffix(".txt").write_text("Another text.")
    voice.path.with_suffix(".srt").write_text(SRT)
    text = text_beside(voice)
    assert text is not None and text.synthetic == "" and text.warnings == ()
    (cue,) = text.track.cues
    assert (cue.begin, cue.end, cue.text, text.track.language) == (0.1, 0.7, "Guten Morgen.", "de")
    assert text_versions({"welcome.de": voice.path}) == {"welcome.de": text.version}


SAID = {
    ("welcome.de.wav", "Guten Morgen.", "fr"): "de",
    ("welcome.de.wav", "---\nlanguage: nl\n---\nGoedemorgen.", "fr"): "nl",
    ("welcome.wav", "---\nlanguage: nl\n---\nGoedemorgen.", "fr"): "nl",
    ("welcome.wav", "Bonjour.", "fr"): "fr",
    ("welcome.wav", "Bonjour.", ""): "",
}


@pytest.mark.parametrize("said", SAID)
def test_the_language_is_what_the_text_says_then_its_name_then_what_was_told(
    said: tuple[str, str, str], tmp_path: Path
) -> None:
    name, content, told = said
    write_voice(tmp_path / name, 1.0)
    (tmp_path / name).with_suffix(".txt").write_text(content)
    text = text_beside(analyse_voice(tmp_path / name), told)
    assert text is not None and text.track.language == SAID[said]


def test_a_text_is_aligned_with_the_speech(voice: Voice) -> None:
    voice.path.with_suffix(".txt").write_text("Guten Morgen.")
    text = text_beside(voice)
    assert text is not None
    (cue,) = text.track.cues
    assert cue.text == "Guten Morgen." and 0 <= cue.begin < cue.end <= 1.05


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"no subtitles", b"!!!"])
@pytest.mark.parametrize("suffix", [".srt", ".vtt", ".txt"])
def test_a_text_that_says_nothing_is_warned_of_and_stops_no_clip(voice: Voice, suffix: str, content: bytes) -> None:
    if suffix == ".txt" and content == b"no subtitles":
        pytest.skip("a text")
    voice.path.with_suffix(suffix).write_bytes(content)
    text = text_beside(voice)
    assert text is not None and text.track.cues == () and len(text.warnings) == 1
    assert voice.path.stem in str(text.warnings[0])


@pytest.mark.parametrize("suffix", [".srt", ".txt"])
def test_of_a_part_of_a_recording_its_text_is_told_by_the_time_of_that_part(tmp_path: Path, suffix: str) -> None:
    recording = tmp_path / "welcome.en.wav"
    write_voice(recording, 3.0)
    text = "One. Two." if suffix == ".txt" else SRT + "\n2\n00:00:01,200 --> 00:00:02,600\nWie geht es?\n"
    recording.with_suffix(suffix).write_text(text)
    whole = text_beside(analyse_voice(recording))
    assert whole is not None
    last = whole.track.cues[-1]
    earlier = round(last.end - 0.1, 3)
    write_trim(recording, Trim.of(round(last.begin - 0.2, 3), earlier))
    part = text_beside(analyse_voice(recording))
    assert part is not None and part.version == whole.version
    cue = part.track.cues[-1]
    assert (cue.text, cue.begin) == (last.text, pytest.approx(0.2, abs=0.002))
    assert cue.end == pytest.approx(earlier - last.begin + 0.2, abs=0.002)


def test_a_changed_text_is_another_version_and_a_touched_one_is_not(voice: Voice) -> None:
    file = voice.path.with_suffix(".srt")
    file.write_text(SRT)
    before = text_versions({"a": voice.path})
    file.touch()
    assert text_versions({"a": voice.path}) == before
    file.write_text(SRT.replace("Morgen", "Abend"))
    assert text_versions({"a": voice.path}) != before


def test_a_link_is_not_followed(voice: Voice, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SRT)
    voice.path.with_suffix(".srt").symlink_to(tmp_path / "secret")
    assert text_beside(voice) is None and text_versions({"a": voice.path}) == {}


@pytest.mark.parametrize("same", [True, False])
def test_a_recording_made_from_a_script_elsewhere_says_that_it_is_synthetic(voice: Voice, same: bool) -> None:
    sentences = (SpokenSentence("Hi.", 0.0, 1.0, 0),)
    digest = sha256_of(voice.path) if same else "another"
    spoken = Transcript("welcome.txt", "de", "kokoro", "1", "jf_alpha", 1.0, "v", digest, sentences)
    write_transcript(spoken, voice.path.with_suffix(".json"))
    text = text_beside(voice)
    assert (text.synthetic if text is not None else "") == ("kokoro jf_alpha" if same else "")


def test_a_script_says_who_speaks_it() -> None:
    sentences = (SpokenSentence("Hi.", 0.0, 1.0, 0),)
    text = text_of_script(Transcript("a.txt", "en", "http", "tts-1", "nova", 1.0, "version", "s", sentences))
    assert (text.synthetic, text.version, text.track.cues[0].end) == ("http nova", "version", 1.0)
