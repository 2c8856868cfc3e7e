"""What is painted between the lips of a warped face, and what is left alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.analysis.visible_teeth import default_teeth, luma
from heygem_pipeline.lipsync.warp.articulation.lip_model import Articulation, articulate, closed_contours, jaw_drop
from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline.lipsync.warp.interior.opening import paint_opening
from heygem_pipeline.lipsync.warp.mouth_region import locate_mouth_region
from heygem_pipeline_tests.lipsync.warp.analysis.test_lip_edges import DARK, HEAD, IOD, LIP, SKIN, TOOTH, drawn
from heygem_pipeline_tests.lipsync.warp.articulation.test_lip_model import mouth

_SKIN = np.array(SKIN, np.float32)
LIGHT = FaceLighting(
    _SKIN, np.array(LIP, np.float32), np.array(DARK, np.float32), default_teeth(_SKIN, 0.09), blur=0.006
)
CLOSED = drawn((0.992, 1.008, DARK))
BARED = drawn((0.945, 1.055, TOOTH))


def opened(rest: MouthContours, gap: float) -> MouthContours:
    return articulate(rest, Articulation(gap, 0.0, jaw_drop(gap)))


def painted(
    picture: NDArray[np.uint8],
    base: MouthContours,
    target: MouthContours,
    own_teeth: float = 0.0,
    rounding: float = 0.0,
) -> NDArray[np.uint8]:
    """The picture with the opening painted over it, the lips not moved."""
    rows, region = locate_mouth_region(picture, HEAD, target)
    finished = picture.copy()
    paint_opening(finished[rows], region, base, target, rounding, LIGHT, own_teeth)
    return finished


def at(y: float, x: float = 0.03) -> tuple[int, int]:
    """Row and column of a place of the head frame."""
    return round(y * IOD), round((x + 1) * IOD)


def test_only_the_opening_and_the_rims_of_the_lips_are_painted() -> None:
    target = opened(mouth(), 0.15)
    changed = (painted(CLOSED, mouth(), target) != CLOSED).any(axis=2)
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) / IOD for axis in (1, 0))
    assert rows.min() > target.upper_inner[:, 1].min() - 0.035
    assert rows.max() < target.lower_inner[:, 1].max() + 0.035
    assert columns.min() - 1 >= target.upper_outer[0, 0] - 0.01
    assert columns.max() - 1 <= target.upper_outer[-1, 0] + 0.01


def test_lips_that_touch_and_touched_stay_as_they_are() -> None:
    np.testing.assert_array_equal(painted(CLOSED, mouth(bow=0.0), mouth(bow=0.0)), CLOSED)


def test_lips_brought_together_over_teeth_get_a_dark_line() -> None:
    base = mouth(gap=0.11, bow=0.0)
    finished = painted(drawn(), base, closed_contours(base))
    line = closed_contours(base).upper_inner[8, 1]
    assert luma(finished[at(line)]) < 0.7 * luma(np.array(LIP))


def test_teeth_that_the_frame_bares_stay_where_they_are() -> None:
    base = mouth(gap=0.11, bow=0.0)
    finished = painted(BARED, base, opened(closed_contours(base), 0.06), own_teeth=1.0)
    np.testing.assert_allclose(finished[at(1.01)], TOOTH, atol=25)


def test_rounded_lips_shade_the_teeth_that_the_frame_bares() -> None:
    base = mouth(gap=0.11, bow=0.0)
    target = opened(closed_contours(base), 0.1)
    spread, rounded = (painted(BARED, base, target, own_teeth=1.0, rounding=rounding) for rounding in (0.0, 1.0))
    assert luma(rounded[at(1.01)]) < 0.75 * luma(spread[at(1.01)])


def test_an_opening_wider_than_the_bared_teeth_is_dark_below_them() -> None:
    base = mouth(gap=0.11, bow=0.0)
    finished = painted(BARED, base, opened(closed_contours(base), 0.25), own_teeth=1.0)
    assert luma(finished[at(1.02)]) > 150
    assert luma(finished[at(1.09)]) < 0.55 * luma(_SKIN)


@pytest.mark.parametrize("own_teeth", [0.0, 1.0])
def test_a_mouth_beyond_the_frame_paints_nothing(own_teeth: float) -> None:
    base, picture = mouth(), CLOSED[:60].copy()
    finished = painted(picture, base, opened(base, 0.2), own_teeth)
    np.testing.assert_array_equal(finished, picture)


def test_a_smaller_opening_is_a_fainter_one() -> None:
    change = [
        np.abs(painted(CLOSED, mouth(), opened(mouth(), gap)).astype(int) - CLOSED).sum() for gap in (0.01, 0.03, 0.1)
    ]
    assert change[0] < change[1] < change[2]
