"""Reading the lips' edges from a picture drawn for the purpose."""

import numpy as np
import pytest

from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.analysis.lip_edges import (
    LipEdges,
    SeenLips,
    detect_lip_edges,
)
from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline_tests.lipsync.warp.articulation.test_lip_model import mouth

IOD = 120.0
HEAD = HeadFrame(np.array([[1 / IOD, 0, -1.0], [0, 1 / IOD, 0.0]]))
SKIN, LIP, DARK, TOOTH, TONGUE = (150, 170, 215), (110, 100, 200), (20, 15, 70), (215, 225, 230), (120, 105, 185)
GLOSS = (225, 220, 245)
MIDDLE = slice(12, 29)
"""Columns well away from the corners."""


def drawn(*bands: tuple[float, float, tuple[int, int, int]]) -> np.ndarray:
    """A flat mouth: lips from y = 0.9 to 1.1 IOD, and over them bands from a height to another in a colour."""
    import cv2

    picture = np.full((240, 240, 3), SKIN, np.uint8)
    left, right = int(0.6 * IOD), int(1.4 * IOD)
    for start, end, colour in ((0.9, 1.1, LIP), *bands):
        picture[round(start * IOD) : round(end * IOD), left:right] = colour
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)


def predicted(gap: float) -> MouthContours:
    """What the landmarks say: the outer borders as drawn, the inner lines ``gap`` apart."""
    borders, inner = mouth(0.0, bow=0.0), mouth(gap, bow=0.0)
    return MouthContours(borders.upper_outer, borders.lower_outer, inner.upper_inner, inner.lower_inner)


def edges_of_frame(
    picture: np.ndarray, head: HeadFrame, contours: MouthContours, before: LipEdges | None = None
) -> LipEdges:
    return detect_lip_edges([SeenLips(picture, head, contours)], before)[0]


def height(lines: LipEdges) -> float:
    """Of what looks unlike lips, in the middle of the mouth."""
    return float(np.median((lines.lower - lines.upper)[MIDDLE]))


@pytest.mark.parametrize("crease", [0.96, 1.0, 1.04])
@pytest.mark.parametrize("gap", [0.0, 0.05])
def test_the_crease_of_closed_lips_is_found_beside_the_prediction(crease: float, gap: float) -> None:
    lines = edges_of_frame(drawn((crease - 0.008, crease + 0.009, DARK)), HEAD, predicted(gap))
    np.testing.assert_allclose(lines.seam[MIDDLE], crease, atol=0.01)
    assert height(lines) < 0.035


@pytest.mark.parametrize("gap", [0.05, 0.11, 0.15])
def test_the_edges_of_lips_parted_by_teeth_are_found_however_far_the_landmarks_have_them_apart(gap: float) -> None:
    picture = drawn((0.955, 1.045, TOOTH), (1.03, 1.045, DARK))
    lines = edges_of_frame(picture, HEAD, predicted(gap))
    np.testing.assert_allclose(lines.upper[MIDDLE], 0.955, atol=0.015)
    np.testing.assert_allclose(lines.lower[MIDDLE], 1.045, atol=0.015)


def test_a_dark_slit_between_parted_lips_is_measured() -> None:
    lines = edges_of_frame(drawn((0.97, 1.03, DARK)), HEAD, predicted(0.02))
    assert height(lines) == pytest.approx(0.06, abs=0.012)


def test_gloss_on_the_lower_lip_is_no_opening() -> None:
    picture = drawn((0.992, 1.008, DARK))
    picture[round(1.045 * IOD) : round(1.06 * IOD), 105:140] = GLOSS
    assert height(edges_of_frame(picture, HEAD, predicted(0.02))) < 0.035


def test_a_mouth_in_grey_is_read_by_its_shades() -> None:
    """Old film, or lips the colour of the skin: nothing but the dark between them."""
    picture = drawn((0.96, 1.04, DARK))
    grey = np.repeat(picture.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    lines = edges_of_frame(grey, HEAD, predicted(0.05))
    np.testing.assert_allclose(lines.upper[MIDDLE], 0.96, atol=0.015)
    np.testing.assert_allclose(lines.lower[MIDDLE], 1.04, atol=0.015)


def test_colours_learnt_from_earlier_frames_hold_where_one_frame_misleads() -> None:
    usual = edges_of_frame(drawn((0.992, 1.008, DARK)), HEAD, predicted(0.02))
    odd = edges_of_frame(drawn((0.9, 1.1, TONGUE)), HEAD, predicted(0.02), before=usual)
    kept = usual.colours[0].thirds
    assert np.abs(odd.colours[0].thirds - kept).max() < 0.2 * np.abs(find_tongue().colours[0].thirds - kept).max()


def find_tongue() -> LipEdges:
    return edges_of_frame(drawn((0.9, 1.1, TONGUE)), HEAD, predicted(0.02))


def test_a_turned_picture_gives_the_turned_lines() -> None:
    picture = drawn((0.955, 1.045, TOOTH), (1.03, 1.045, DARK))
    picture[:, :120] = np.clip(picture[:, :120].astype(int) + 12, 0, 255)
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    head = HeadFrame(np.array([[1 / IOD, 0, -(239 / IOD - 1.0)], [0, 1 / IOD, 0.0]]))
    straight = edges_of_frame(picture, HEAD, predicted(0.08))
    turned = edges_of_frame(mirrored, head, predicted(0.08))
    np.testing.assert_allclose(turned.upper[MIDDLE], straight.upper[::-1][MIDDLE], atol=0.006)
    np.testing.assert_allclose(turned.lower[MIDDLE], straight.lower[::-1][MIDDLE], atol=0.006)


def test_frames_read_together_are_read_as_one_after_the_other() -> None:
    shown = [
        (drawn((0.955, 1.045, TOOTH)), 0.08),
        (drawn((0.992, 1.008, DARK)), 0.02),
        (drawn((0.9, 1.1, TONGUE)), 0.2),
    ]
    before, alone = None, []
    for picture, gap in shown:
        before = edges_of_frame(picture, HEAD, predicted(gap), before)
        alone.append(before)
    together = detect_lip_edges([SeenLips(picture, HEAD, predicted(gap)) for picture, gap in shown])
    for one, other in zip(alone, together, strict=True):
        for name in ("seam", "upper", "lower", "crease"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_in_another_shot_the_colours_of_the_one_before_are_forgotten() -> None:
    lips = SeenLips(drawn((0.992, 1.008, DARK)), HEAD, predicted(0.02))
    tongue = drawn((0.9, 1.1, TONGUE))
    _, same_shot = detect_lip_edges([lips, SeenLips(tongue, HEAD, predicted(0.02))])
    _, other_shot = detect_lip_edges([lips, SeenLips(tongue, HEAD, predicted(0.02), anew=True)])
    alone = edges_of_frame(tongue, HEAD, predicted(0.02))
    np.testing.assert_array_equal(other_shot.colours[1].thirds, alone.colours[1].thirds)
    assert not np.array_equal(same_shot.colours[1].thirds, alone.colours[1].thirds)
