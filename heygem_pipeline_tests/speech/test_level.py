"""Levels in dBFS, and one loudness for every upload."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.speech.level import loudness, normalising_gain, row_levels


def tone(seconds: float, amplitude: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 400 * np.arange(int(16000 * seconds)) / 16000)).astype(np.float32)


def test_a_full_scale_sine_lies_3_db_under_full_scale() -> None:
    assert row_levels(tone(1))[10:-10] == pytest.approx(-3.01, abs=0.05)


def test_digital_silence_is_minus_100() -> None:
    assert np.all(row_levels(np.zeros(1000, np.float32)) == -100)


@settings(deadline=None)
@given(st.integers(0, 1001))
def test_there_is_a_level_for_every_feature_row(count: int) -> None:
    assert row_levels(np.ones(count, np.float32)).shape == (1 + count // 200,)


@settings(deadline=None)
@given(st.floats(-30, 0))
def test_loudness_follows_the_gain(gain_db: float) -> None:
    levels = row_levels(tone(1, 0.5))
    assert loudness(levels + gain_db) == pytest.approx(loudness(levels) + gain_db, abs=0.1)


def test_pauses_do_not_lower_the_loudness() -> None:
    speech, pause = tone(2, 0.1), tone(20, 0.0005)
    assert loudness(row_levels(np.concatenate([speech, pause]))) == pytest.approx(loudness(row_levels(speech)), abs=0.2)


def test_the_gain_brings_a_whisper_and_a_shout_to_the_same_loudness() -> None:
    for amplitude in (0.002, 0.9):
        samples = tone(1, amplitude)
        gain = normalising_gain(row_levels(samples))
        assert loudness(row_levels(samples * np.float32(gain))) == pytest.approx(-23, abs=0.3)


def test_silence_is_not_amplified() -> None:
    assert normalising_gain(row_levels(np.zeros(16000, np.float32))) == 1
