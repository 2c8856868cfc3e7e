"""What an engine knows of its sounds reaches the mouth: by a stand-in that tells when it says which."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.clip.excerpt import Stretch, analyse_stretch
from heygem_pipeline.clip.sidecar import write_trim
from heygem_pipeline.clip.voice import analyse_voice, load_voice, save_voice
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.trim import Trim
from heygem_pipeline.settings import DEFAULTS
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline.speech.mouth_shape import predict_mouth_shape
from heygem_pipeline.synthesis.recording import speak
from heygem_pipeline.synthesis.script import read_script
from heygem_pipeline.synthesis.speech_spec import SpeechSpec
from heygem_pipeline.synthesis.synthesizer import Speech, SpokenPhoneme
from heygem_pipeline.synthesis.transcript import write_transcript
from heygem_pipeline_tests.synthesis.stand_in_engine import StandInEngine

SOUNDS = {"m": 0.3, "a": 0.4, "b": 0.55, "f": 0.7}
"""When each begins, in seconds; it lasts 80 ms."""


class Parrot(StandInEngine):
    """Says the same recording for every sentence, and that it holds these sounds."""

    name, version = "parrot", "1"

    def __init__(self, recording: Path) -> None:
        self._recording = recording

    def synthesize(self, text: str, voice: str, language: str, speed: float) -> Speech:
        phonemes = tuple(SpokenPhoneme(sign, begin, begin + 0.08) for sign, begin in SOUNDS.items())
        return Speech(read_sound(self._recording, 16000).samples, 16000, phonemes)


@pytest.fixture
def recording(material: Path, tmp_path: Path) -> Path:
    """A script of two sentences, spoken by the parrot."""
    (tmp_path / "welcome.txt").write_text("Good morning. Good evening.")
    spec = SpeechSpec(Parrot(material / "voice.wav"), "grey", "en", 1.0)
    transcript = speak(read_script(tmp_path / "welcome.txt"), spec, tmp_path / "welcome.wav")
    write_transcript(transcript, tmp_path / "welcome.json")
    return tmp_path / "welcome.wav"


def gap_of(speech: SpeechFeatures) -> np.ndarray:
    return predict_mouth_shape(speech, Fraction(FEATURE_RATE), len(speech.level)).gap


def test_lips_touch_where_the_engine_says_so(recording: Path, tmp_path: Path) -> None:
    voice = analyse_voice(recording)
    assert voice.speech.closures is not None
    assert [one.touching for one in voice.speech.closures] == [True, True, False] * 2
    touching = [one for one in voice.speech.closures if one.touching]
    rows = [round((one.begin + one.end) / 2 * FEATURE_RATE) for one in touching]
    assert not gap_of(voice.speech)[rows].any()
    # By its sound alone the mouth would be open at some of them.
    assert gap_of(replace(voice.speech, closures=None))[rows].max() > 0.1

    save_voice(voice, tmp_path / "welcome.parquet")
    assert load_voice(tmp_path / "welcome.parquet", recording).speech.closures == voice.speech.closures


def test_a_stretch_of_a_voice_knows_them_too(recording: Path, tmp_path: Path) -> None:
    whole = analyse_voice(recording).speech.closures
    assert whole is not None
    begin = whole[3].begin - 0.2
    stretch, began = analyse_stretch(recording, tmp_path / "part.wav", Stretch(0.55, begin), DEFAULTS)
    assert began == begin and stretch.speech.closures is not None
    assert [one.begin for one in stretch.speech.closures] == pytest.approx([0.2, 0.45], abs=0.001)
    # So does the part of it that is used, and a stretch of that.
    write_trim(recording, Trim.of(0.25, round(begin + 0.55, 3)))
    used = analyse_voice(recording)
    assert used.speech.closures is not None and len(used.speech.closures) == 4
    assert used.speech.closures[2].begin == pytest.approx(whole[3].begin - 0.25, abs=0.001)
    again, _ = analyse_stretch(recording, tmp_path / "part.wav", Stretch(0.55, begin - 0.25), DEFAULTS)
    assert again.speech.closures is not None
    assert [one.begin for one in again.speech.closures] == pytest.approx([0.2, 0.45], abs=0.001)


@pytest.mark.parametrize(
    "sound", [{}, "m", {"sign": "m", "begin": "0", "end": 1}, {"sign": "m", "begin": 1, "end": 1e999}]
)
def test_a_transcript_that_somebody_has_spoiled_says_nothing(sound: object, recording: Path) -> None:
    stored = json.loads(recording.with_suffix(".json").read_text(encoding="utf-8"))
    recording.with_suffix(".json").write_text(json.dumps(stored | {"lip_sounds": [sound]}), encoding="utf-8")
    assert analyse_voice(recording).speech.closures is None


def test_a_transcript_of_another_recording_says_nothing(recording: Path) -> None:
    with recording.open("ab") as file:
        file.write(b"\0\0")
    assert analyse_voice(recording).speech.closures is None
