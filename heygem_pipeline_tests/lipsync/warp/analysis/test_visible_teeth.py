"""Reading teeth between parted lips."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.analysis.visible_teeth import (
    LOWER_TEETH_FROM,
    LOWER_TEETH_PER_GAP,
    UPPER_TEETH_PER_GAP,
    TeethAppearance,
    default_teeth,
    luma,
    measure_teeth,
)

SKIN, LIP = np.array([120, 140, 190], np.float32), np.array([85, 80, 150], np.float32)
DARK, TOOTH, TONGUE = (20, 18, 60), (150, 165, 180), (80, 75, 140)
USUAL = default_teeth(SKIN, 0.08)


def inside(upper: int, lower: int, between: tuple[int, int, int] = DARK) -> NDArray[np.float32]:
    """An opening of 10 rows and 12 columns: rows of upper teeth, of something else, of lower teeth."""
    rows = [TOOTH] * upper + [between] * (10 - upper - lower) + [TOOTH] * lower
    return np.repeat(np.array(rows, np.float32)[:, None], 12, axis=1)


def read(picture: NDArray[np.float32], opening: float) -> TeethAppearance:
    return measure_teeth(picture, opening, SKIN, LIP, USUAL)


def test_how_much_of_the_teeth_shows_is_taken_back_to_the_smallest_opening() -> None:
    teeth = read(inside(upper=5, lower=2), opening=0.15)
    assert teeth.upper == pytest.approx(0.075 - UPPER_TEETH_PER_GAP * 0.15, abs=1e-6)
    assert teeth.lower == pytest.approx(0.03 - LOWER_TEETH_PER_GAP * (0.15 - LOWER_TEETH_FROM), abs=1e-6)
    assert teeth.amount_seen == 1


def test_lips_that_open_without_teeth_tell_less_surely_that_none_show() -> None:
    teeth = read(inside(0, 0), opening=0.15)
    assert teeth.upper < 0
    assert teeth.lower == 0
    assert 0 < teeth.amount_seen < 0.5
    assert teeth.colour_seen == 0
    np.testing.assert_array_equal(teeth.colour, USUAL.colour)


@pytest.mark.parametrize("upper", [5, 10])
def test_the_colour_of_teeth_is_read(upper: int) -> None:
    teeth = read(inside(upper, 0), opening=0.2)
    assert teeth.colour_seen == 1
    np.testing.assert_allclose(teeth.colour * SKIN, TOOTH, rtol=0.02)


def test_what_a_narrow_opening_shades_is_taken_to_be_lighter() -> None:
    narrow, wide = (read(inside(6, 0), opening) for opening in (0.09, 0.2))
    assert luma(narrow.colour * SKIN) > 1.1 * luma(wide.colour * SKIN)
    assert narrow.colour_seen < wide.colour_seen


def test_a_row_of_shade_under_the_lip_does_not_hide_the_teeth() -> None:
    picture = inside(5, 0)
    picture[0] = LIP / 2
    assert read(picture, 0.15).upper == read(inside(5, 0), 0.15).upper


def test_a_tongue_is_no_tooth() -> None:
    assert read(inside(0, 0, between=TONGUE), 0.2).colour_seen == 0


def test_a_slit_tells_nothing() -> None:
    assert read(inside(5, 0), opening=0.05) is USUAL


def test_thin_lips_usually_show_lower_teeth_and_full_ones_upper_teeth() -> None:
    thin, full = default_teeth(SKIN, 0.05), default_teeth(SKIN, 0.1)
    assert thin.upper < 0 < full.upper
    assert thin.lower > full.lower > 0


@pytest.mark.parametrize("skin", [(30, 35, 50), (90, 110, 160), (190, 200, 235), (0, 0, 0)])
def test_usual_teeth_are_about_as_light_as_the_skin_and_less_red(skin: tuple[int, int, int]) -> None:
    colour = np.array(skin, np.float32)
    tooth = default_teeth(colour, 0.08).colour * colour
    assert luma(tooth) <= 1.1 * luma(colour) + 11
    if colour.any():
        assert tooth[2] / luma(tooth) < colour[2] / luma(colour)


def test_what_was_seen_once_is_not_forgotten_for_what_is_usual() -> None:
    seen = replace(USUAL, colour=USUAL.colour * np.float32(1.2), colour_seen=1.0, upper=0.05, amount_seen=1.0)
    later = seen
    for _ in range(50):
        later = later.toward(USUAL, 0.1)
    np.testing.assert_array_equal(later.colour, seen.colour)
    assert later.upper == seen.upper
    assert USUAL.toward(seen, 0.1).upper == pytest.approx(USUAL.upper + 0.1 * (0.05 - USUAL.upper))


def test_the_median_listens_to_frames_that_show_teeth() -> None:
    seen = replace(USUAL, upper=0.05, amount_seen=1.0)
    together = TeethAppearance.median([USUAL, USUAL, seen])
    assert together.upper == 0.05
    assert together.amount_seen == 1
