import numpy as np

from heygem_pipeline.faces.boxes import box_around
from heygem_pipeline.faces.landmark_reader import landmarks_at, read_landmarks

HOPPER_BOX = np.array([165.0, 85.0, 385.0, 305.0])


def test_landmarks_lie_where_the_features_are(hopper: np.ndarray) -> None:
    points = landmarks_at(hopper, HOPPER_BOX, readings=7)
    left_eye, right_eye = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    assert 75 < np.linalg.norm(right_eye - left_eye) < 105
    mouth = points[48:68].mean(axis=0)
    assert mouth[1] > left_eye[1] + 60
    assert left_eye[0] < mouth[0] < right_eye[0]


def test_reading_twice_gives_the_same_bits(hopper: np.ndarray) -> None:
    np.testing.assert_array_equal(landmarks_at(hopper, HOPPER_BOX, 7), landmarks_at(hopper, HOPPER_BOX, 7))


def test_a_single_reading_is_near_the_steady_one(hopper: np.ndarray) -> None:
    quick, steady = landmarks_at(hopper, HOPPER_BOX, 1), landmarks_at(hopper, HOPPER_BOX, 7)
    assert np.abs(quick - steady).mean() < 3


def test_more_readings_depend_less_on_the_box(hopper: np.ndarray) -> None:
    boxes = [HOPPER_BOX + shift for shift in np.random.default_rng(0).uniform(-4, 4, (12, 1))]
    spread = {n: np.std([landmarks_at(hopper, box, n) for box in boxes], axis=0).mean() for n in (1, 7)}
    assert spread[7] < 0.9 * spread[1]


def test_the_box_around_the_landmarks_is_the_box_they_were_read_from(hopper: np.ndarray) -> None:
    box = box_around(landmarks_at(hopper, HOPPER_BOX, 7))
    again = box_around(landmarks_at(hopper, np.array(box), 7))
    np.testing.assert_allclose(again, box, atol=6)


def test_frames_without_a_box_have_no_landmarks(hopper: np.ndarray) -> None:
    boxes = np.stack([HOPPER_BOX, np.full(4, np.nan)])
    points = read_landmarks([hopper, hopper], boxes)
    assert points.shape == (2, 68, 2)
    assert np.isfinite(points[0]).all() and np.isnan(points[1]).all()


def test_a_grey_frame_reads_like_the_coloured_one(hopper: np.ndarray) -> None:
    import cv2

    grey = np.asarray(cv2.cvtColor(hopper, cv2.COLOR_BGR2GRAY), np.uint8)
    np.testing.assert_array_equal(landmarks_at(grey, HOPPER_BOX), landmarks_at(hopper, HOPPER_BOX))
