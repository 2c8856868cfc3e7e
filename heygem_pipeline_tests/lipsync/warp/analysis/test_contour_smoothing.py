"""The lines of a mouth over time."""

from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.lipsync.warp.analysis.contour_smoothing import ContourSmoother, ObservedLips
from heygem_pipeline.lipsync.warp.analysis.lip_colour import LipColour
from heygem_pipeline.lipsync.warp.analysis.lip_edges import STRIP_COLUMNS, LipEdges
from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline_tests.lipsync.warp.articulation.test_lip_model import mouth

COLOUR = LipColour(np.zeros((3, 3), np.float32), np.ones(3, np.float32))
AT_25 = ContourSmoother.for_frame_rate(Fraction(25))


def seen(gap: float, shift: float = 0.0, predicted: MouthContours | None = None) -> ObservedLips:
    """Lips ``gap`` apart around y = 1 + shift; 0: touching, with a crease 0.02 tall."""
    predicted = predicted or mouth(gap, bow=0.0)
    x = np.linspace(predicted.upper_outer[0, 0], predicted.upper_outer[-1, 0], STRIP_COLUMNS)
    half = np.maximum(gap / 2 * np.clip(1 - (x / 0.36) ** 2, 0, 1), 0.01)
    seam = np.full(STRIP_COLUMNS, 1.0 + shift)
    lines = LipEdges(x, seam, seam - half, seam + half, np.zeros(3, np.float32), 0.01, (COLOUR, COLOUR))
    return ObservedLips(predicted, lines)


def around(frames: list[ObservedLips], here: int) -> list[tuple[int, ObservedLips]]:
    reach = range(max(0, here - AT_25.still), min(len(frames), here + AT_25.still + 1))
    return [(place - here, frames[place]) for place in reach]


def jitter(lines: list[MouthContours]) -> float:
    heights = np.array([np.concatenate([shape.upper_inner[:, 1], shape.upper_outer[:, 1]]) for shape in lines])
    return float(np.abs(np.diff(heights, 2, axis=0)).mean())


def nodding(line: np.ndarray, by: float) -> np.ndarray:
    return line + np.array([0.0, by])


def test_a_still_mouth_does_not_tremble_with_its_landmarks() -> None:
    rng = np.random.default_rng(1)
    plain = mouth(0.0)
    frames = []
    for noise in rng.normal(0, 0.002, 40):
        lines = (plain.upper_outer, plain.lower_outer, plain.upper_inner, plain.lower_inner)
        frames.append(seen(0.0, predicted=MouthContours(*(nodding(line, noise) for line in lines))))
    steady = [AT_25.smoothed_contours(around(frames, here)) for here in range(10, 30)]
    assert jitter(steady) < 0.15 * jitter([frame.predicted for frame in frames[10:30]])


def test_touching_lips_have_one_line() -> None:
    frames = [seen(0.0)] * 15
    shape = AT_25.smoothed_contours(around(frames, 7))
    np.testing.assert_array_equal(shape.upper_inner, shape.lower_inner)
    np.testing.assert_allclose(shape.upper_inner[:, 1], 1.0, atol=1e-6)


def test_one_frame_misread_does_not_show() -> None:
    frames = [seen(0.12)] * 15
    frames[7] = seen(0.12, shift=0.06)
    np.testing.assert_allclose(AT_25.smoothed_contours(around(frames, 7)).upper_inner[4:13, 1], 0.94, atol=0.03)
    usual = AT_25.smoothed_contours(around([seen(0.12)] * 15, 7))
    assert np.abs(AT_25.smoothed_contours(around(frames, 7)).upper_inner - usual.upper_inner).max() < 0.015


@pytest.mark.parametrize("here", [8, 12, 16])
def test_a_mouth_that_opens_within_a_fifth_of_a_second_is_followed(here: int) -> None:
    gaps = np.interp(np.arange(25), [0, 10, 15, 25], [0.0, 0.0, 0.2, 0.2])
    frames = [seen(float(gap)) for gap in gaps]
    shape = AT_25.smoothed_contours(around(frames, here))
    assert shape.gap == pytest.approx(np.mean([0.92 * gaps[here]]), abs=0.03)


def test_landmarks_that_always_err_do_not_pull_the_lines() -> None:
    frames = [seen(0.12, predicted=mouth(0.04, bow=0.0))] * 15
    shape = AT_25.smoothed_contours(around(frames, 7))
    assert shape.upper_inner[8, 1] == pytest.approx(0.94, abs=0.006)
    assert shape.lower_inner[8, 1] == pytest.approx(1.06, abs=0.006)


def test_time_is_counted_in_seconds() -> None:
    assert ContourSmoother.for_frame_rate(Fraction(60)).still == pytest.approx(60 / 25 * AT_25.still, abs=1.5)
    assert len(ContourSmoother.for_frame_rate(Fraction(60)).moving) > 2 * len(AT_25.moving)
    assert AT_25.moving.sum() == pytest.approx(1)


@pytest.mark.parametrize("gap", [0.0, 0.12])
def test_all_lines_meet_in_the_corners_halfway_between_landmarks_and_crease(gap: float) -> None:
    frames = [seen(gap, shift=0.02, predicted=mouth(gap, bow=0.0))] * 15
    shape = AT_25.smoothed_contours(around(frames, 7))
    for end in (0, -1):
        corners = {tuple(line[end].round(9)) for line in (shape.upper_outer, shape.upper_inner, shape.lower_inner)}
        assert corners == {tuple(shape.lower_outer[end].round(9))}
        assert shape.upper_outer[end, 1] == pytest.approx(1.01, abs=0.002)
    assert shape.upper_outer[7, 1] == mouth(gap).upper_outer[7, 1]
