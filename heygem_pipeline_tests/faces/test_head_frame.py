import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.faces.head_frame import eye_centres, fit_head_frame, transform
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
    np.testing.assert_allclose(transform(matrices, landmarks), np.broadcast_to(face, landmarks.shape), atol=1e-3)


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
