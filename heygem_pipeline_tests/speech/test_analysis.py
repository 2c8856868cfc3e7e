"""From a file to features, or to one sentence that says why not."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import SpeechSilent, SpeechTooShort
from heygem_pipeline.media.sound import Sound
from heygem_pipeline.speech.analysis import analyse_speech, extract_features
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline_tests.speech.conftest import WriteSound


def test_a_recording_becomes_one_row_every_80th_of_a_second(english: Sound, write_sound: WriteSound) -> None:
    speech = analyse_speech(write_sound("voice.wav", english.samples))
    rows = 1 + len(english.samples) // 200
    assert speech.duration == Fraction(len(english.samples), 16000)
    assert speech.log_mel.shape == (rows, 80)
    assert speech.level.shape == speech.activity.shape == (rows,)


def test_the_pause_in_the_middle_is_heard_as_a_pause(english_speech: SpeechFeatures) -> None:
    quietest = int(np.convolve(english_speech.level, np.ones(40), "valid")[80:-80].argmin()) + 80
    assert english_speech.activity[quietest + 15 : quietest + 25].max() < 0.3
    assert np.mean(english_speech.activity > 0.5) > 0.6


def test_a_very_quiet_recording_moves_the_mouth_like_a_loud_one(english: Sound) -> None:
    loud = extract_features(english)
    quiet = extract_features(Sound(english.samples * np.float32(0.01), 16000, english.duration))
    np.testing.assert_allclose(quiet.log_mel, loud.log_mel, atol=0.05)
    np.testing.assert_allclose(quiet.activity, loud.activity, atol=0.05)
    heard = loud.level > -50
    np.testing.assert_allclose(quiet.level[heard], loud.level[heard] - 40, atol=0.01)


def test_half_a_word_is_refused(english: Sound, write_sound: WriteSound) -> None:
    path = write_sound("片段.wav", english.samples[8000:15000])
    with pytest.raises(SpeechTooShort, match=r"^片段\.wav holds only 0\.44 s of sound; record at least 0\.5 s"):
        analyse_speech(path)


@pytest.mark.parametrize("amplitude", [0.0, 1e-4])
def test_silence_and_the_hiss_of_an_unplugged_microphone_are_refused(amplitude: float, write_sound: WriteSound) -> None:
    path = write_sound("silent.wav", np.random.default_rng(0).normal(0, amplitude, 32000))
    with pytest.raises(SpeechSilent, match=r"^silent\.wav is silent from beginning to end"):
        analyse_speech(path)


@pytest.mark.long
def test_every_real_voice_is_understood(clips: Path) -> None:
    for path in sorted((clips / "audio").iterdir()):
        assert np.mean(analyse_speech(path).activity > 0.5) > 0.3, path.name
