"""Lips that touch for a moment inside speech."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.speech.features import FEATURE_RATE, KnownClosure
from heygem_pipeline.speech.lip_closures import (
    CLOSED_LIPS,
    close_lips,
    closure_peaks,
    closure_strength,
    find_closures,
    known_strength,
    peak_heights,
)

SPEAKS = np.ones(400, bool)


def babbling(*closures: int, length: int = 8) -> np.ndarray:
    """An open mouth, IOD, that closes for 100 ms around each of these rows."""
    gap = 0.16 + 0.02 * np.sin(np.arange(400) / 7)
    for row in closures:
        gap[row - length // 2 : row + length // 2 + 1] = 0.01
    return gap


def sure_of(*closures: int) -> np.ndarray:
    """Log-odds as a network says them: bumps of 8 rows around each closure, on doubt."""
    rows = np.arange(400)
    return -2 + 4 * np.sum([np.exp(-(((rows - row) / 5) ** 2)) for row in closures], axis=0)


def test_closures_of_a_speaking_mouth_are_found() -> None:
    assert find_closures(babbling(100, 180, 300), SPEAKS) == [100, 180, 300]


def test_a_resting_mouth_is_no_closure() -> None:
    assert find_closures(babbling(100, 200, length=60), SPEAKS) == []


def test_neither_is_a_mouth_that_closes_while_nobody_speaks() -> None:
    assert find_closures(babbling(50, 100, 300), np.arange(400) > 200) == [300]


def test_nor_one_that_was_hardly_seen() -> None:
    gap = babbling(100, 300)
    gap[60:] = np.nan
    assert find_closures(gap, SPEAKS) == []


def test_how_sure_the_network_is_of_a_closure_is_its_nearest_peak() -> None:
    assert peak_heights([100, 203, 300], sure_of(100, 200)) == pytest.approx([1.7, 1.7, -np.inf], abs=0.3)


def test_sure_closures_touch_and_take_their_time() -> None:
    together = closure_strength(sure_of(100, 200), 0, 1)
    for row in (100, 200):
        assert list(together[row - 1 : row + 2]) == [1, 1, 1]
        assert together[row - 20] == together[row + 20] == 0
        for way in (together[row - 20 : row + 1], together[row : row + 21][::-1]):
            under_way = (way > 0) & (way < 1)
            assert 0.06 <= under_way.sum() / FEATURE_RATE <= 0.1


def test_a_long_closure_is_held_for_longer() -> None:
    rows = np.arange(400)
    broad = -2 + 4 * np.exp(-(((rows - 100) / 12) ** 2))
    short, long = (np.sum(closure_strength(odds, 0, 1) == 1) for odds in (sure_of(100), broad))
    assert short < long <= 0.15 * FEATURE_RATE


def test_doubtful_ones_come_nearer_only() -> None:
    height = closure_peaks(sure_of(100))[1][0]
    assert closure_strength(sure_of(100), height - 1, height + 1)[100] == pytest.approx(0.5)
    assert not closure_strength(sure_of(100), height + 0.1, height + 1).any()


def test_closures_near_the_ends_are_no_trouble() -> None:
    together = closure_strength(sure_of(5, 394), 0, 1)
    assert together.shape == (400,)
    assert together[5] == together[394] == 1


def test_known_closures_are_held_while_they_are_said() -> None:
    together = known_strength([KnownClosure(1.0, 1.1), KnownClosure(3.0, 3.05, touching=False)], 400)
    assert list(np.flatnonzero(together == 1)) == list(range(80, 89))
    assert together[80 - 8] == together[88 + 8] == 0 < together[80 - 3] < 1
    at_teeth = known_strength([KnownClosure(1.0, 1.1), KnownClosure(3.0, 3.05, touching=False)], 400, touching=False)
    assert at_teeth[242] == 1 and not at_teeth[:200].any()


@pytest.mark.parametrize("begin", [0.0, 4.9, 5.2, 60.0])
def test_known_closures_at_the_ends_and_beyond_are_no_trouble(begin: float) -> None:
    together = known_strength([KnownClosure(begin, begin + 0.08)], 400)
    assert together.shape == (400,)
    assert together.any() == (begin < 5)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 200))
def test_it_is_a_share_and_moves_as_lips_can(seed: int, count: int) -> None:
    log_odds = np.random.default_rng(seed).normal(0, 3, count)
    together = closure_strength(log_odds, -0.5, 0.5)
    assert together.shape == (count,)
    assert together.min() >= 0
    assert together.max() <= 1
    assert np.abs(np.diff(together)).max(initial=0) < 0.25


def test_lips_brought_together_have_no_gap_and_a_jaw_that_stays_lower() -> None:
    opened = np.array([[0.9, -0.5, 0.8, 0.9, 0.6]])
    closed = close_lips(opened, np.ones(1))[0]
    assert closed[0] == 0
    assert closed[1] == -0.5
    assert 0 < closed[2] < 0.8
    np.testing.assert_array_equal(close_lips(opened, np.zeros(1)), opened)


def test_what_else_the_mouth_does_is_left_alone() -> None:
    opened = np.array([[0.9, -0.5, 0.8, 0.9, 0.6, 0.7, 0.3]])
    assert list(close_lips(opened, np.ones(1))[0, 5:]) == [0.7, 0.3]


def test_what_is_more_closed_already_is_not_opened() -> None:
    shut = np.array([[0.0, 0.3, 0.1, 0.1, -0.4]])
    np.testing.assert_array_equal(close_lips(shut, np.ones(1)), shut)
    assert CLOSED_LIPS[2] > 0.1
