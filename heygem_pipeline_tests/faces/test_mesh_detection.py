from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.faces.boxes import square_box
from heygem_pipeline.faces.mesh_detection import detect_faces, detect_large_faces, detect_near, detect_others
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline_tests.faces.conftest import Picture

Place = Callable[..., Picture]
NOSE, WIDTH = (265, 238), 200
"""Of Grace Hopper's face in her photograph, pixels."""


@pytest.fixture(scope="module")
def both(hopper: Picture, collins: Picture, placed: Place) -> Picture:
    return placed((512, 1024), (hopper, 0, 0, 0.85), (collins, 512, 0, 1))


def test_a_face_of_64_pixels_is_found_in_a_4k_frame(
    hopper: Picture, placed: Place, mesh_networks: MeshNetworks
) -> None:
    scale = 64 / WIDTH
    (face,) = detect_faces(mesh_networks, placed((2160, 3840), (hopper, 3300, 1700, scale)))
    assert np.hypot(*np.subtract(face.box.centre, (3300 + NOSE[0] * scale, 1700 + NOSE[1] * scale))) < 10
    assert face.box.width == pytest.approx(64, rel=0.15)
    assert detect_large_faces(mesh_networks, placed((2160, 3840), (hopper, 3300, 1700, scale))) == []


@pytest.mark.parametrize(("turns", "lean"), [(0, 0), (1, -90), (2, 180), (3, 90)])
def test_a_face_is_found_however_the_camera_was_held(
    hopper: Picture, mesh_networks: MeshNetworks, turns: int, lean: float
) -> None:
    turned = np.ascontiguousarray(np.rot90(hopper, turns))
    marked = np.zeros(hopper.shape[:2])
    marked[NOSE[1], NOSE[0]] = 1
    ((y, x),) = np.argwhere(np.rot90(marked, turns))
    face = detect_faces(mesh_networks, turned, turned=True)[0]
    assert abs((face.lean - lean + 180) % 360 - 180) < 15
    assert np.hypot(face.box.centre[0] - x, face.box.centre[1] - y) < 0.2 * WIDTH
    assert face.box.width == pytest.approx(WIDTH, rel=0.15)
    near = detect_near(mesh_networks, turned, face.box, face.lean)
    assert abs((near[0].lean - lean + 180) % 360 - 180) < 15


def test_what_only_looks_like_a_face_does_not_end_the_search(
    hopper: Picture, collins: Picture, placed: Place, mesh_networks: MeshNetworks
) -> None:
    suit = np.ascontiguousarray(np.rot90(collins))
    suit[200:350, :230] = 90  # her face
    frame = placed((1080, 1920), (suit, 0, 0, 2), (hopper, 1600, 700, 0.35))
    assert detect_large_faces(mesh_networks, frame)
    (face,) = detect_faces(mesh_networks, frame)
    assert face.box.left > 1600
    assert face.box.width == pytest.approx(0.35 * WIDTH, rel=0.15)


def test_all_faces_are_found_the_surest_first(both: Picture, mesh_networks: MeshNetworks) -> None:
    faces = detect_faces(mesh_networks, both)
    assert [round(face.box.centre[0], -2) for face in sorted(faces, key=lambda face: face.box.left)] == [200, 700]
    assert [face.score for face in faces] == sorted((face.score for face in faces), reverse=True)


def test_others_are_those_elsewhere_and_not_much_smaller(both: Picture, mesh_networks: MeshNetworks) -> None:
    followed = square_box(NOSE[0] * 0.85, NOSE[1] * 0.85, 170)
    (other,) = detect_others(mesh_networks, both, followed, 0.5)
    assert other.box.left > 512
    assert detect_others(mesh_networks, both, followed, 0.9) == []


def test_near_a_face_only_what_is_near_is_found(both: Picture, mesh_networks: MeshNetworks) -> None:
    for place, width in (((225, 200), 170), ((735, 125), 100)):
        faces = detect_near(mesh_networks, both, square_box(*place, width), 0)
        assert len(faces) == 1 and np.hypot(*np.subtract(faces[0].box.centre, place)) < 40


def test_a_frame_without_a_face_gives_none(mesh_networks: MeshNetworks) -> None:
    assert detect_faces(mesh_networks, np.full((480, 640, 3), 90, np.uint8), turned=True) == []


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 2**32 - 1))
def test_frames_of_any_shape_are_looked_through(
    mesh_networks: MeshNetworks, height: int, width: int, seed: int
) -> None:
    frame = np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)
    for face in detect_faces(mesh_networks, frame):
        assert np.isfinite(face.box).all() and face.box.width > 0 and 0.5 <= face.score <= 1
