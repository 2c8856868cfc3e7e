"""Teeth on their arch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.lipsync.warp.interior.dental_arch import (
    INCISOR_DEPTH,
    LARGEST_TURN,
    LOWER_ROW,
    UPPER_ROW,
    TeethRow,
    along_the_arch,
    head_turn,
    teeth_edge_and_tone,
)

ACROSS = np.linspace(-0.4, 0.4, 161, dtype=np.float32)


def test_a_mouth_with_equal_halves_is_seen_from_the_front() -> None:
    assert head_turn(0.39, 0.39) == 0
    np.testing.assert_allclose(along_the_arch(ACROSS, 0.0), ACROSS, atol=1e-4)


def test_the_narrower_half_is_the_one_that_turns_away() -> None:
    assert head_turn(left=0.42, right=0.36) > 0 > head_turn(left=0.36, right=0.42)


def test_the_midline_of_the_teeth_lags_behind_the_lips_of_a_turned_head() -> None:
    middle = np.array([-0.3 * INCISOR_DEPTH])
    assert along_the_arch(middle, turn=0.3)[0] == pytest.approx(0, abs=0.003)


@given(st.floats(-LARGEST_TURN, LARGEST_TURN))
def test_teeth_keep_their_order_however_the_head_turns(turn: float) -> None:
    assert (np.diff(along_the_arch(ACROSS, turn)) >= 0).all()


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_no_mouth_turns_the_head_further_than_teeth_can_be_seen(left: float, right: float) -> None:
    assert abs(head_turn(left, right)) <= LARGEST_TURN


@pytest.mark.parametrize("row", [UPPER_ROW, LOWER_ROW])
def test_teeth_get_darker_toward_the_cheeks(row: TeethRow) -> None:
    middles = (row.borders[:-1] + row.borders[1:]) / 2
    _, tone = teeth_edge_and_tone(middles, row, pixel=0.005)
    assert (np.diff(tone) < 0).all()
    assert tone[0] > 0.95
    assert tone[-1] < 0.4


@pytest.mark.parametrize("row", [UPPER_ROW, LOWER_ROW])
def test_between_two_teeth_it_is_darker_and_the_edge_has_a_notch(row: TeethRow) -> None:
    between = row.borders[1:2]
    beside = between - 0.03
    (edge, inner_edge), (tone, inner_tone) = (
        (values[0][0], values[1][0])
        for values in zip(
            teeth_edge_and_tone(between, row, 0.005), teeth_edge_and_tone(beside, row, 0.005), strict=True
        )
    )
    assert edge > inner_edge
    assert tone < inner_tone


def test_lines_between_teeth_fade_in_small_pictures() -> None:
    border = UPPER_ROW.borders[1:2]
    _, sharp = teeth_edge_and_tone(border, UPPER_ROW, pixel=0.002)
    _, coarse = teeth_edge_and_tone(border, UPPER_ROW, pixel=0.03)
    assert coarse[0] > sharp[0]
