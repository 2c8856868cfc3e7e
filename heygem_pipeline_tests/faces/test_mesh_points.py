import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.faces.mesh_detection import detect_faces
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.mesh_points import (
    BLENDSHAPE_POINTS,
    IBUG_POINTS,
    LIP_LINES,
    MOUTH_BLENDSHAPES,
    lip_lines_of,
)
from heygem_pipeline.faces.mesh_reader import crop_of_box, read_face
from heygem_pipeline_tests.faces.conftest import Picture
from heygem_pipeline_tests.faces.shapes import made_face


def test_every_landmark_is_a_vertex_of_its_own_and_the_lips_are_among_the_lines() -> None:
    assert len(set(IBUG_POINTS.tolist())) == 68
    assert set(IBUG_POINTS[48:].tolist()) <= set(LIP_LINES.ravel().tolist())


def test_the_lips_meet_in_their_corners_and_nowhere_else() -> None:
    outer, inner = LIP_LINES[:2], LIP_LINES[2:]
    for upper, lower in (outer, inner):
        assert (upper[0], upper[-1]) == (lower[0], lower[-1])
        assert not set(upper[1:-1].tolist()) & set(lower[1:-1].tolist())


def test_the_blendshapes_network_is_given_what_it_asks_for() -> None:
    assert len(set(BLENDSHAPE_POINTS.tolist())) == 146
    assert len(set(MOUTH_BLENDSHAPES.values())) == 16 and set(MOUTH_BLENDSHAPES.values()) <= set(range(52))


def test_lines_drawn_through_the_landmarks_lie_on_the_lines_that_were_read(
    collins: Picture, mesh_networks: MeshNetworks
) -> None:
    face = detect_faces(mesh_networks, collins)[0]
    reading = read_face(mesh_networks, collins, crop_of_box(face.box, face.lean))
    eye_distance = np.linalg.norm(reading.landmarks[42:48].mean(axis=0) - reading.landmarks[36:42].mean(axis=0))
    apart = np.linalg.norm(lip_lines_of(reading.landmarks[None])[0] - reading.lips, axis=-1) / eye_distance
    assert apart.mean() < 0.05 and apart.max() < 0.15


@settings(deadline=None)
@given(st.floats(-2000, 2000), st.floats(-2000, 2000), st.floats(1, 500), st.floats(-180, 180), st.floats(0, 0.5))
def test_lines_move_turn_and_grow_with_the_face(x: float, y: float, scale: float, turn: float, gap: float) -> None:
    radians = np.radians(turn)
    spin = scale * np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    face = made_face(gap)
    lines = lip_lines_of(face[None])[0]
    moved = lip_lines_of((face @ spin.T + (x, y))[None])[0]
    np.testing.assert_allclose(moved, lines @ spin.T + (x, y), atol=1e-3 * scale + 1e-2)
    np.testing.assert_allclose(
        lines[:, [0, 5, 10]], face[[[48, 51, 54], [48, 57, 54], [60, 62, 64], [60, 66, 64]]], atol=1e-6
    )
