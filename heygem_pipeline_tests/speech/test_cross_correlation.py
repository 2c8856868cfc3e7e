"""Two curves tell by how much one lags."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.speech.cross_correlation import correlation, correlation_at_lags

LAGS = np.arange(-40, 41) / 80
CURVE = np.convolve(np.random.default_rng(0).normal(size=500), np.hanning(15), "same")
"""6 s of mouth-like movement at 80 Hz."""


def seen_at(times: np.ndarray, sound_later_by: float) -> np.ndarray:
    """The mouth that belongs to CURVE when the sound lags it."""
    return np.interp(times + sound_later_by, np.arange(500) / 80, CURVE)


@settings(deadline=None)
@given(lag=st.integers(-38, 38), frame_rate=st.sampled_from([24.0, 25.0, 29.97, 60.0]))
def test_the_best_lag_is_the_true_one(lag: int, frame_rate: float) -> None:
    times = np.arange(0.6, 5, 1 / frame_rate)
    for differences in (True, False):
        likeness = correlation_at_lags(CURVE, seen_at(times, lag / 80), times, LAGS, differences)
        assert LAGS[likeness.argmax()] == lag / 80


def test_frames_without_a_face_do_not_count() -> None:
    times = np.arange(0.6, 5, 0.04)
    gap = seen_at(times, 0.1)
    gap[30:60] = np.nan
    assert LAGS[correlation_at_lags(CURVE, gap, times, LAGS).argmax()] == 0.1


def test_leaps_between_pieces_of_a_clip_are_no_movement() -> None:
    times = np.concatenate([np.arange(0.6, 2, 1 / 60), np.arange(3.5, 5, 1 / 60)])
    gap = seen_at(times, 0.1) + np.where(times > 3, 100, 0)
    assert correlation_at_lags(CURVE, gap, times, np.array([0.1]))[0] > 0.99


def test_a_still_mouth_is_like_nothing() -> None:
    times = np.arange(0.6, 5, 0.04)
    assert not correlation_at_lags(CURVE, np.full(len(times), 0.1), times, LAGS).any()


def test_too_few_frames_say_nothing() -> None:
    assert correlation(np.arange(19.0), np.arange(19.0)) == 0
    assert correlation(np.arange(20.0), np.arange(20.0)) > 0.999
