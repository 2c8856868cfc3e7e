"""One voice heard as another, elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.speech.speech_encoder import MEL_FLOOR
from training import augmentation as mouth_augmentation
from training.augmentation import augmented

VOICE = np.random.default_rng(0).uniform(-9, 1, (120, 80)).astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 120))
def test_it_stays_a_mel(seed: int, rows: int) -> None:
    changed = augmented(VOICE[:rows], np.random.default_rng(seed))
    assert changed.shape == (rows, 80)
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    assert changed.min() >= MEL_FLOOR


def test_the_same_chance_gives_the_same_voice_and_another_another() -> None:
    first, second, third = (augmented(VOICE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - third).mean() > 0.1


def test_the_voice_given_is_left_alone() -> None:
    before = VOICE.copy()
    augmented(VOICE, np.random.default_rng(0))
    np.testing.assert_array_equal(VOICE, before)


@pytest.mark.parametrize(("ratio", "lower"), [(1.15, True), (0.87, False)])
def test_a_longer_throat_has_lower_formants(ratio: float, lower: bool) -> None:
    formant = np.tile(np.exp(-(((np.arange(80) - 40) / 3) ** 2)), (3, 1))
    moved = mouth_augmentation._other_throat(formant, ratio)[0].argmax()
    assert (moved < 40) == lower
    assert abs(moved - 40) > 1


def test_a_room_fills_the_silence_after_a_word_and_not_the_one_before() -> None:
    mel = np.full((100, 80), -9.0)
    mel[30:50] = -1
    heard = mouth_augmentation._in_a_room(mel, np.random.default_rng(0))
    np.testing.assert_allclose(heard[:31], mel[:31], atol=0.05)
    assert heard[52].mean() > -5
    assert np.all(np.diff(heard[50:, 0]) <= 0)
