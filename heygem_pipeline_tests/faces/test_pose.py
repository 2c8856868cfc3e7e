import numpy as np
import pytest

from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.mesh_reader import Crop, read_face
from heygem_pipeline.faces.pose import STANDARD_FACE, head_pose


def seen_face(yaw: float = 0, pitch: float = 0, roll: float = 0, x: float = 640, size: float = 14) -> np.ndarray:
    """Landmarks (1, 68, 2) of the standard face turned by degrees, seen from far away around (x, 360)."""
    import cv2

    turns = [(0, -yaw, 0), (-pitch, 0, 0), (0, 0, roll)]
    by_yaw, by_pitch, by_roll = (cv2.Rodrigues(np.radians(np.array(turn, float)))[0] for turn in turns)
    face = np.array(list(STANDARD_FACE.values())) * (1, -1, -1)
    landmarks = np.zeros((1, 68, 2))
    landmarks[0, list(STANDARD_FACE)] = (face @ (by_roll @ by_yaw @ by_pitch).T)[:, :2] * size + (x, 360)
    return landmarks


def read(landmarks: np.ndarray) -> np.ndarray:
    return head_pose(landmarks, np.array([True]))[0]


def test_a_face_that_looks_straight_ahead_reads_zero() -> None:
    np.testing.assert_allclose(read(seen_face()), 0, atol=1e-6)


@pytest.mark.parametrize("yaw", [-40, -20, 20, 40])
def test_yaw_is_positive_to_the_viewers_right(yaw: float) -> None:
    np.testing.assert_allclose(read(seen_face(yaw=yaw)), (yaw, 0, 0), atol=0.1)


@pytest.mark.parametrize("pitch", [-15, 15])
def test_pitch_is_positive_upward(pitch: float) -> None:
    np.testing.assert_allclose(read(seen_face(pitch=pitch)), (0, pitch, 0), atol=0.1)


@pytest.mark.parametrize("roll", [-25, 25])
def test_roll_is_positive_clockwise(roll: float) -> None:
    np.testing.assert_allclose(read(seen_face(roll=roll)), (0, 0, roll), atol=0.1)


def test_place_and_size_of_the_face_do_not_matter() -> None:
    near, far = seen_face(yaw=10, x=80, size=30), seen_face(yaw=10, x=1200, size=5)
    np.testing.assert_allclose(read(near), read(far), atol=1e-6)


def test_a_long_face_does_not_read_as_a_turned_one() -> None:
    np.testing.assert_allclose(read(seen_face() * (0.85, 1)), 0, atol=1e-6)


def test_an_absent_face_has_no_pose() -> None:
    assert np.isnan(head_pose(np.full((1, 68, 2), np.nan), np.array([False]))).all()


def test_grace_hopper_looks_into_the_camera(hopper: np.ndarray, mesh_networks: MeshNetworks) -> None:
    reading = read_face(mesh_networks, hopper, Crop(265, 235, 300, -3))
    yaw, pitch, roll = read(reading.landmarks[None])
    assert abs(yaw) < 5 and abs(pitch) < 10 and abs(roll) < 5
