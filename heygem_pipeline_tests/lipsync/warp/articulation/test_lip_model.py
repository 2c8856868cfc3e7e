"""Shapes of mouths: closing, opening, rounding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.faces.mesh_points import lip_lines_of
from heygem_pipeline.lipsync.warp.analysis.rest_pose import RestOffset
from heygem_pipeline.lipsync.warp.articulation.lip_model import (
    THICKEST,
    THINNEST,
    Articulation,
    articulate,
    closed_contours,
    interpolate_contours,
    jaw_drop,
    largest_displacement,
    spoken_contours,
)
from heygem_pipeline.lipsync.warp.contours import MouthContours, contours_from_lips


def mouth(gap: float = 0.0, bow: float = 0.02) -> MouthContours:
    """A plain mouth 0.8 IOD wide whose lips are 0.1 thick and ``gap`` apart in the middle."""
    landmarks = np.zeros((68, 2))
    across = np.array([-0.4, -0.26, -0.1, 0.0, 0.1, 0.26, 0.4])
    arch = np.array([0.0, 0.6, 0.95, 1.0, 0.95, 0.6, 0.0])
    landmarks[48:55] = np.stack([across, 1 - (0.1 + gap / 2) * arch], axis=1)
    landmarks[[48, 59, 58, 57, 56, 55, 54]] = np.stack([across, 1 + (0.1 + gap / 2) * arch], axis=1)
    inner_across, inner_arch = np.array([-0.36, -0.15, 0, 0.15, 0.36]), np.array([0, 0.8, 1, 0.8, 0])
    dip = bow * np.array([0, 0, 1, 0, 0])
    landmarks[60:65] = np.stack([inner_across, 1 - gap / 2 * inner_arch + dip], axis=1)
    landmarks[[60, 67, 66, 65, 64]] = np.stack([inner_across, 1 + gap / 2 * inner_arch + dip], axis=1)
    return contours_from_lips(lip_lines_of(landmarks[None])[0])


articulations = st.builds(
    lambda gap, width, raised, lowered: Articulation(gap, width, jaw_drop(gap), raised, lowered),
    st.floats(0, 0.32),
    st.floats(-0.18, 0.18),
    st.floats(-0.04, 0.04),
    st.floats(-0.04, 0.04),
)


def test_lips_that_touch_are_at_rest_already() -> None:
    closed = mouth()
    assert largest_displacement(closed, closed_contours(closed)) == 0


def test_rest_brings_parted_lips_together() -> None:
    rest = closed_contours(mouth(gap=0.2))
    np.testing.assert_allclose(rest.upper_inner, rest.lower_inner, atol=1e-12)
    assert 0.7 < rest.width < 0.8


def test_nothing_asked_changes_nothing() -> None:
    closed = mouth()
    assert articulate(closed, Articulation(0.0, 0.0, 0.0)) is closed


@given(articulations, st.floats(0, 0.25))
def test_inner_lines_never_cross(wanted: Articulation, own_gap: float) -> None:
    shape = articulate(closed_contours(mouth(own_gap)), wanted)
    opening = shape.lower_inner[:, 1] - np.interp(shape.lower_inner[:, 0], *shape.upper_inner.T)
    assert opening.min() > -1e-3


@given(articulations)
def test_the_opening_is_the_one_asked_for(wanted: Articulation) -> None:
    shape = articulate(mouth(), wanted)
    assert shape.gap == pytest.approx(wanted.gap, rel=0.2, abs=0.016)


@given(articulations)
def test_lips_keep_their_thickness_within_bounds(wanted: Articulation) -> None:
    rest = mouth()
    shape = articulate(rest, wanted)
    for outer, inner in (("upper_outer", "upper_inner"), ("lower_outer", "lower_inner")):
        before, after = (
            np.abs(getattr(s, outer)[1:-1, 1] - np.interp(getattr(s, outer)[1:-1, 0], *getattr(s, inner).T))
            for s in (rest, shape)
        )
        assert (after <= THICKEST * before + 1e-9).all()
        assert (after >= THINNEST * before - 1e-9).all()


def test_pressed_lips_meet_thinner() -> None:
    pressed = articulate(mouth(), Articulation(0.0, 0.0, 0.02, -0.01, -0.01))
    np.testing.assert_allclose(pressed.upper_inner[:, 1], pressed.lower_inner[:, 1], atol=0.01)
    assert pressed.upper_outer[7, 1] > mouth().upper_outer[7, 1]
    assert pressed.lower_outer[7, 1] < mouth().lower_outer[7, 1]


def test_a_mouth_that_moves_of_its_own_is_articulated_from_its_rest() -> None:
    shift = np.zeros((20, 2))
    shift[[7, 8, 9], 1] = -0.15
    shift[[17, 18, 19], 1] = -0.15
    chewing = spoken_contours(mouth(gap=0.15), Articulation(0.1, 0.0, 0.05), RestOffset(shift, -0.05, 1.0))
    still = spoken_contours(mouth(), Articulation(0.1, 0.0, 0.05))
    assert chewing.gap == pytest.approx(still.gap, abs=0.02)


def test_rounding_narrows_and_spreading_widens() -> None:
    assert articulate(mouth(), Articulation(0.05, -0.12, 0.0)).width < 0.74
    assert articulate(mouth(), Articulation(0.0, 0.08, 0.0)).width > 0.84


@given(st.floats(0, 1))
def test_between_two_shapes(share: float) -> None:
    closed, opened = mouth(), articulate(mouth(), Articulation(0.2, 0.0, 0.1))
    assert largest_displacement(closed, interpolate_contours(closed, opened, share)) == pytest.approx(
        share * largest_displacement(closed, opened)
    )


def test_a_frame_open_as_wide_as_asked_keeps_its_own_lips() -> None:
    own = mouth(gap=0.15)
    asked = spoken_contours(own, Articulation(own.gap, 0.0, jaw_drop(own.gap)))
    assert largest_displacement(own, asked) < 1e-9


@given(articulations, st.floats(0, 0.25))
def test_any_mouth_opens_as_asked(wanted: Articulation, own_gap: float) -> None:
    shape = spoken_contours(mouth(own_gap), wanted)
    assert shape.gap == pytest.approx(wanted.gap, rel=0.2, abs=0.016)
