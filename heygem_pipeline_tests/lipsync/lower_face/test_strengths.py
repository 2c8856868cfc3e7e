"""How far a drawn face is seen: in speech, over parted lips, and only where there is a face."""

from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.lipsync.contract.material import made_features
from heygem_pipeline.lipsync.lower_face.strengths import blend_strengths, speaking_at_frames
from heygem_pipeline.speech.mouth_motion import speech_envelope

RATE = Fraction(25)
ALL = np.ones(75, bool)
TOUCHING, APART = np.zeros(75), np.ones(75)


@pytest.fixture
def speaking() -> np.ndarray:
    """A pause of a second within speech."""
    speech = made_features(np.concatenate([np.ones(80), np.zeros(80), np.ones(80)]))
    return speaking_at_frames(speech_envelope(speech), RATE, 75)


def test_a_frame_speaks_where_somebody_does(speaking: np.ndarray) -> None:
    assert speaking[33:43].max() == 0
    assert speaking[5:20].min() == 1


def test_the_middle_of_a_frame_lies_half_of_one_later() -> None:
    envelope = np.linspace(0, 1, 81)
    begins, middles = (speaking_at_frames(envelope, RATE, 20, moment) for moment in (0.0, 0.5))
    np.testing.assert_allclose(middles[:-1], (begins[:-1] + begins[1:]) / 2)


def test_beyond_the_end_of_the_voice_nobody_speaks() -> None:
    assert list(speaking_at_frames(np.ones(8), RATE, 5)) == [1, 1, 1, 0, 0]


def test_in_silence_only_parted_lips_are_drawn_anew(speaking: np.ndarray) -> None:
    assert not blend_strengths(speaking, TOUCHING, ALL, RATE)[33:43].any()
    assert (blend_strengths(speaking, APART, ALL, RATE) == 1).all()


def test_without_a_face_nothing_is_drawn_and_near_it_less(speaking: np.ndarray) -> None:
    strengths = blend_strengths(speaking, APART, np.arange(75) >= 30, RATE)
    assert not strengths[:30].any()
    assert 0 < strengths[30] < strengths[31] < strengths[40] == 1
