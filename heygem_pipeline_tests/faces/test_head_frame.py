import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.faces.head_frame import HeadFrame, eye_centres, fit_head_frame, transform_points
from heygem_pipeline_tests.faces.shapes import made_face


def moved(face: np.ndarray, x: float, y: float, scale: float, degrees: float) -> np.ndarray:
    turn = np.radians(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return scale * face @ rotation.T + (x, y)


motions = st.tuples(st.floats(0, 1900), st.floats(0, 1000), st.floats(20, 300), st.floats(-30, 30))


@settings(deadline=None)
@given(st.lists(motions, min_size=1, max_size=8))
def test_whatever_the_head_does_the_head_frame_shows_the_same_face(
    heads: list[tuple[float, float, float, float]],
) -> None:
    face = made_face()
    landmarks = np.array([moved(face, *head) for head in heads])
    matrices, reference = fit_head_frame(landmarks, np.ones(len(heads), bool))
    np.testing.assert_allclose(reference, face, atol=1e-3)
    np.testing.assert_allclose(transform_points(matrices, landmarks), np.broadcast_to(face, landmarks.shape), atol=1e-3)


def test_the_eye_centres_of_the_reference_are_one_apart_around_the_origin() -> None:
    noisy = made_face() * 80 + 400 + np.random.default_rng(3).normal(size=(50, 68, 2))
    _, reference = fit_head_frame(noisy, np.ones(50, bool))
    left, right = eye_centres(reference)
    np.testing.assert_allclose([left, right], [(-0.5, 0), (0.5, 0)], atol=1e-6)


def test_an_opening_mouth_does_not_move_the_head_frame() -> None:
    landmarks = np.array([made_face(gap) * 100 + 500 for gap in (0, 0.1, 0.2, 0.3)])
    matrices, _ = fit_head_frame(landmarks, np.ones(4, bool))
    np.testing.assert_allclose(matrices, np.broadcast_to(matrices[0], matrices.shape), atol=1e-6)


def test_absent_frames_have_no_matrix_and_do_not_count() -> None:
    landmarks = np.array([made_face() * 100 + 500] * 3)
    landmarks[1] = np.nan
    matrices, reference = fit_head_frame(landmarks, np.array([True, False, True]))
    assert np.isnan(matrices[1]).all() and np.isfinite(matrices[[0, 2]]).all()
    np.testing.assert_allclose(reference, made_face(), atol=1e-5)


ROTATED = HeadFrame(np.array([[0.008, -0.002, -2.5], [0.002, 0.008, -1.25]]))
"""A head that leans, its eyes some 120 pixels apart."""


def test_pixels_and_points_of_the_head_lead_back_to_each_other() -> None:
    pixels = np.array([[0.0, 0.0], [100.0, 250.0], [639.0, 3.0]])
    points = ROTATED.from_pixels(pixels)
    np.testing.assert_allclose(points, pixels @ ROTATED.matrix[:, :2].T + ROTATED.matrix[:, 2])
    np.testing.assert_allclose(ROTATED.to_pixels(points), pixels, atol=1e-9)


def test_maps_tell_the_same_as_points() -> None:
    column, row = np.arange(5, dtype=np.float64)[None], np.arange(3, dtype=np.float64)[:, None]
    x, y = ROTATED.from_pixel_maps(column, row)
    grid = np.stack(np.broadcast_arrays(column, row), axis=-1)
    np.testing.assert_allclose(np.stack([x, y], axis=-1), ROTATED.from_pixels(grid))
    np.testing.assert_allclose(np.stack(ROTATED.to_pixel_maps(x, y), axis=-1), grid, atol=1e-4)


def test_the_scale_is_the_side_of_a_pixel() -> None:
    left, right = ROTATED.from_pixels(np.array([[10.0, 20.0], [11.0, 20.0]]))
    assert ROTATED.scale == pytest.approx(float(np.linalg.norm(right - left)))


def test_a_crop_shows_the_same_places() -> None:
    cropped = ROTATED.cropped(30, 40)
    np.testing.assert_allclose(cropped.from_pixels(np.array([1.0, 2.0])), ROTATED.from_pixels(np.array([31.0, 42.0])))


def test_a_box_of_pixels_covers_its_corners_and_ends_with_the_picture() -> None:
    low, high = ROTATED.from_pixels(np.array([[100.0, 100.0], [300.0, 200.0]]))
    corners = ROTATED.to_pixels(np.array([low, high, [low[0], high[1]], [high[0], low[1]]]))
    left, top, right, bottom = ROTATED.pixel_box(low, high, (1000, 1000))
    assert (corners >= (left, top)).all() and (corners <= (right - 1, bottom - 1)).all()
    assert ROTATED.pixel_box(low, high, (120, 110))[2:] == (120, 110)
