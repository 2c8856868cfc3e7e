"""Doubtful speech warns, clear speech does not."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from heygem_pipeline.media.sound import Sound
from heygem_pipeline.speech.analysis import extract_features
from heygem_pipeline.speech.clarity import speech_to_noise, speech_warnings
from heygem_pipeline.speech.features import SpeechFeatures


def with_noise(english: Sound, snr_db: float) -> SpeechFeatures:
    noise = np.random.default_rng(0).normal(size=len(english.samples))
    noise *= english.samples.std() * 10 ** (-snr_db / 20)
    return extract_features(Sound((english.samples + noise).astype(np.float32), 16000, english.duration))


def test_clear_speech_raises_no_doubt(english_speech: SpeechFeatures) -> None:
    assert speech_warnings(english_speech) == []


def test_noise_is_named_with_its_distance(english: Sound) -> None:
    (warning,) = speech_warnings(with_noise(english, 8))
    assert warning.code == "speech.noisy" and "dB quieter than the speech" in str(warning)


def test_the_ratio_is_about_the_one_that_was_made(english: Sound) -> None:
    assert abs(speech_to_noise(with_noise(english, 10)) - 10) < 3


def test_faint_noise_is_let_pass(english: Sound) -> None:
    assert speech_warnings(with_noise(english, 30)) == []


def test_a_tone_is_not_speech() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(32000) / 16000).astype(np.float32)
    (warning,) = speech_warnings(extract_features(Sound(tone, 16000, Fraction(2))))
    assert warning.code == "speech.none" and str(warning).startswith("No speech was found")


def test_a_few_words_in_a_long_silence_are_said_to_be_few(english: Sound) -> None:
    samples = np.concatenate([english.samples, np.zeros(16000 * 60, np.float32)])
    (warning,) = speech_warnings(extract_features(Sound(samples, 16000, Fraction(len(samples), 16000))))
    assert warning.code == "speech.little" and str(warning).startswith("Speech was found in only")


def test_very_quiet_speech_warns(english: Sound) -> None:
    (warning,) = speech_warnings(extract_features(Sound(english.samples * np.float32(0.01), 16000, english.duration)))
    assert warning.code == "speech.quiet" and "very quiet" in str(warning)


def test_a_long_recording_warns(english_speech: SpeechFeatures) -> None:
    (warning,) = speech_warnings(replace(english_speech, duration=Fraction(400)))
    assert warning.code == "speech.long" and str(warning).startswith("The recording is 6.7 minutes long")
