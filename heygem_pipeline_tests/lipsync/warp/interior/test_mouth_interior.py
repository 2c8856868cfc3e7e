"""The drawn inside of a mouth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.analysis.visible_teeth import TeethAppearance, default_teeth, luma
from heygem_pipeline.lipsync.warp.interior.mouth_interior import OpenMouth, draw_interior

PIXEL = 0.005
SKIN = np.array([120, 140, 190], np.float32)
MIDDLE, CORNER = 80, 6


def light_of(skin: NDArray[np.float32], teeth: TeethAppearance | None = None) -> FaceLighting:
    """Of a face with that skin: full lips a little redder and darker, their crease darker still."""
    lip = skin * np.array([0.70, 0.65, 0.85], np.float32)
    return FaceLighting(skin, lip, lip * np.float32(0.4), teeth or default_teeth(skin, 0.09), 0.006)


def mouth(gap: float, rounding: float = 0.0, turn: float = 0.0) -> OpenMouth:
    """Opened from lips that met at y = 1."""
    return OpenMouth(
        centre=0.0,
        half_width=0.36,
        midline=0.0,
        turn=turn,
        skull_edge=1.0,
        tilt=0.0,
        floor=1 + 0.78 * gap,
        gap=gap,
        rounding=rounding,
    )


def drawn(
    what: OpenMouth, skin: NDArray[np.float32] = SKIN, teeth: TeethAppearance | None = None
) -> NDArray[np.float32]:
    """Luma over the skin's, (41, 161): 41 rows from the upper to the lower lip, columns over the mouth's width."""
    x = np.broadcast_to(np.linspace(-0.4, 0.4, 161, dtype=np.float32), (41, 161))
    arch = 1 - (x / 0.4) ** 2
    upper, lower = 1 - 0.22 * what.gap * arch, 1 + 0.78 * what.gap * arch
    y = upper + np.linspace(0, 1, 41, dtype=np.float32)[:, None] * (lower - upper)
    colours = draw_interior(x, np.asarray(y, np.float32), upper, lower, what, light_of(skin, teeth), PIXEL)
    assert colours.shape == (41, 161, 3)
    assert colours.dtype == np.float32
    return np.asarray(luma(colours) / luma(skin), np.float32)


def test_a_slit_shows_its_crease_and_no_teeth() -> None:
    crease = luma(light_of(SKIN).crease) / luma(SKIN)
    np.testing.assert_allclose(drawn(mouth(0.015))[:, MIDDLE - 20 : MIDDLE + 20], crease, atol=0.05)


def test_a_wide_opening_shows_teeth_below_the_upper_lip_the_dark_and_the_lower_teeth() -> None:
    column = drawn(mouth(0.22))[:, MIDDLE + 5]
    assert column[8:16].max() == pytest.approx(1.0, abs=0.15)
    assert column[20:26].min() < 0.3
    assert 0.5 < column[33:39].max() < column[8:16].max()


def test_the_upper_lip_shades_the_teeth_below_it() -> None:
    column = drawn(mouth(0.22))[:, MIDDLE + 5]
    assert column[0] < 0.65 * column[12]


def test_little_light_reaches_the_teeth_through_a_small_opening() -> None:
    lightest = [float(drawn(mouth(gap))[:, MIDDLE - 30 : MIDDLE + 30].max()) for gap in (0.06, 0.10, 0.15)]
    assert lightest == sorted(lightest)
    assert lightest[0] < 0.8


def test_rounded_lips_hide_the_teeth() -> None:
    assert drawn(mouth(0.12, rounding=1.0)).max() < 0.6


def test_as_much_of_the_teeth_shows_as_the_person_shows() -> None:
    usual = default_teeth(SKIN, 0.09)

    def rows(upper: float, lower: float) -> tuple[int, int]:
        light = drawn(mouth(0.2), teeth=replace(usual, upper=upper, lower=lower))[:, MIDDLE + 5] > 0.5
        return int(light[:21].sum()), int(light[24:38].sum())

    assert rows(-0.01, 0.0)[0] < rows(0.01, 0.0)[0] < rows(0.03, 0.0)[0]
    assert rows(0.01, 0.0)[1] < rows(0.01, 0.03)[1]


def test_many_teeth_do_not_fill_a_small_opening() -> None:
    teeth = replace(default_teeth(SKIN, 0.09), upper=0.05, lower=0.0)

    def filled(gap: float) -> float:
        return float((drawn(mouth(gap), teeth=teeth)[:, MIDDLE + 5] > 0.5).mean())

    assert filled(0.05) == 0
    assert 0.15 < filled(0.08) < 0.5 < filled(0.14)


def test_lower_teeth_are_no_hairline_along_the_lip() -> None:
    teeth = replace(default_teeth(SKIN, 0.09), upper=-0.01, lower=0.008)

    def lightest(gap: float) -> float:
        return float(drawn(mouth(gap), teeth=teeth)[24:, MIDDLE + 5].max())

    assert lightest(0.1) < 0.5
    assert lightest(0.13) < 0.5
    assert lightest(0.2) > 0.8


def test_the_corners_are_dark() -> None:
    assert drawn(mouth(0.2))[:, [CORNER, -1 - CORNER]].max() < 0.45


def test_a_turned_head_shows_other_teeth_than_one_seen_from_the_front() -> None:
    front, turned = drawn(mouth(0.2))[12], drawn(mouth(0.2, turn=0.4))[12]
    np.testing.assert_allclose(front[20:80], front[81:141][::-1], atol=0.08)
    assert np.abs(turned[20:80] - turned[81:141][::-1]).max() > 0.2


@given(
    st.tuples(st.floats(20, 250), st.floats(20, 250), st.floats(20, 250)),
    st.floats(0, 0.32),
    st.floats(0, 1),
    st.floats(0, 0.2),
)
def test_nothing_outshines_the_face(
    skin: tuple[float, float, float], gap: float, rounding: float, lip_height: float
) -> None:
    colour = np.array(skin, np.float32)
    picture = drawn(mouth(gap, rounding), colour, default_teeth(colour, lip_height))
    assert np.isfinite(picture).all()
    assert picture.min() >= 0
    assert picture.max() < 1.15 + 15 / luma(colour)


def test_a_dim_face_has_dim_teeth_and_a_blue_one_blue_teeth() -> None:
    assert drawn(mouth(0.2), SKIN / np.float32(3)).max() == pytest.approx(drawn(mouth(0.2)).max(), rel=0.2)
    blue = light_of(np.array([190, 140, 120], np.float32)).enamel
    assert blue[0] > blue[2]


def test_shade_inside_a_mouth_is_warm() -> None:
    light = replace(light_of(SKIN), lip=np.array([100, 95, 160], np.float32))
    x = np.zeros((41, 1), np.float32) + np.float32(0.03)
    y = np.linspace(0.96, 1.14, 41, dtype=np.float32)[:, None]
    flat = np.ones_like(y)
    colours = draw_interior(x, y, 0.96 * flat, 1.14 * flat, mouth(0.18), light, PIXEL)[:, 0]
    redness = colours[:, 2] / luma(colours)
    assert redness[luma(colours).argmin()] > 1.2 * redness[luma(colours).argmax()]
