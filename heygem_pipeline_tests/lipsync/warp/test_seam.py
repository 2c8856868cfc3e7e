"""Reading the lips' edges from a picture drawn for the purpose."""

import numpy as np
import pytest

from heygem_pipeline.lipsync.warp.curves import MouthContours
from heygem_pipeline.lipsync.warp.seam import find_lip_lines
from heygem_pipeline_tests.lipsync.warp.test_target import mouth

IOD = 120.0
TO_HEAD = np.array([[1 / IOD, 0, -1.0], [0, 1 / IOD, 0.0]])
SKIN, LIP, DARK, TOOTH = (150, 170, 215), (110, 100, 200), (20, 15, 70), (215, 225, 230)


def drawn(upper_edge: float, lower_edge: float, inside: tuple[int, int, int]) -> np.ndarray:
    """A flat mouth: lips from y = 0.9 to 1.1 IOD, ``inside`` between the edges, dark lines along them."""
    import cv2

    picture = np.full((240, 240, 3), SKIN, np.uint8)
    left, right = int(0.6 * IOD), int(1.4 * IOD)
    picture[int(0.9 * IOD) : int(1.1 * IOD), left:right] = LIP
    picture[round(upper_edge * IOD) : round(lower_edge * IOD), left:right] = inside
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)


def predicted(gap: float) -> MouthContours:
    return mouth(gap, bow=0.0)


@pytest.mark.parametrize("crease", [0.97, 1.0, 1.03])
def test_the_crease_of_closed_lips_is_found_beside_the_prediction(crease: float) -> None:
    lines = find_lip_lines(drawn(crease - 0.012, crease + 0.013, DARK), TO_HEAD, predicted(0.03), parted=False)
    middle = slice(8, 41)
    np.testing.assert_allclose(((lines.upper + lines.lower) / 2 + lines.seam_offsets)[middle], crease, atol=0.012)
    assert lines.teeth == 0
    assert lines.edge_offsets is None


def test_edges_of_parted_lips_are_found_where_the_colour_changes() -> None:
    lines = find_lip_lines(drawn(0.96, 1.05, TOOTH), TO_HEAD, predicted(0.11), parted=True)
    assert lines.edge_offsets is not None
    middle = slice(18, 31)
    np.testing.assert_allclose((lines.upper + lines.edge_offsets[0])[middle], 0.96, atol=0.015)
    np.testing.assert_allclose((lines.lower + lines.edge_offsets[1])[middle], 1.05, atol=0.015)


def test_teeth_above_the_crease_tell_parted_lips_from_closed_ones() -> None:
    picture = drawn(0.97, 0.995, TOOTH)
    picture[round(0.995 * IOD) : round(1.015 * IOD), 72:168] = DARK
    lines = find_lip_lines(picture, TO_HEAD, predicted(0.03), parted=False)
    assert lines.teeth > 0.009
    assert lines.edge_offsets is not None
