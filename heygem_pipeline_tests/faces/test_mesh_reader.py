from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from heygem_pipeline.faces.mesh_networks import CROP_SIDE, MeshNetworks
from heygem_pipeline.faces.mesh_reader import Crop, MeshReading, crop_around, crop_of_box, read_face
from heygem_pipeline_tests.faces.conftest import Picture

Place = Callable[..., Picture]
HOPPER = Crop(265, 235, 300, -3)
crops = st.builds(Crop, st.floats(-500, 1000), st.floats(-500, 1000), st.floats(2, 3000), st.floats(-180, 180))


@pytest.fixture(scope="module")
def reading(hopper: Picture, mesh_networks: MeshNetworks) -> MeshReading:
    return read_face(mesh_networks, hopper, read_face(mesh_networks, hopper, HOPPER).crop)


def eye_distance(reading: MeshReading) -> float:
    eyes = reading.landmarks[36:48].reshape(2, 6, 2).mean(axis=1)
    return float(np.linalg.norm(eyes[1] - eyes[0]))


def test_the_features_are_read_where_they_are(reading: MeshReading) -> None:
    landmarks = reading.landmarks
    for points, place in ((slice(36, 42), (222, 192)), (slice(42, 48), (306, 188)), (slice(48, 68), (268, 279))):
        assert np.hypot(*(landmarks[points].mean(axis=0) - place)) < 6
    assert landmarks[8, 1] == pytest.approx(334, abs=12)
    assert reading.box.left < 222 and reading.box.right > 306 and reading.box.bottom > 279


def test_closed_lips_are_read_as_closed_and_a_smile_as_open(
    reading: MeshReading, collins: Picture, mesh_networks: MeshNetworks
) -> None:
    smile = read_face(mesh_networks, collins, Crop(224, 125, 160, 3))
    gaps = [(one.lips[3, 5, 1] - one.lips[2, 5, 1]) / eye_distance(one) for one in (reading, smile)]
    assert abs(gaps[0]) < 0.01 and 0.1 < gaps[1] < 0.2


def test_a_crop_that_lies_a_little_off_reads_the_same(
    reading: MeshReading, hopper: Picture, mesh_networks: MeshNetworks
) -> None:
    crop, random = reading.crop, np.random.default_rng(0)
    readings = [
        read_face(
            mesh_networks,
            hopper,
            Crop(crop.x + 9 * dx, crop.y + 9 * dy, crop.side * (1 + 0.03 * grown), crop.lean + 3 * turn),
        )
        for dx, dy, grown, turn in random.uniform(-1, 1, (6, 4))
    ]
    lips = np.stack([one.landmarks[48:] for one in readings]) / eye_distance(reading)
    assert lips.std(axis=0).mean() < 0.015


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_face_that_lies_otherwise_is_read_as_the_upright_one(
    reading: MeshReading, hopper: Picture, mesh_networks: MeshNetworks, turns: int
) -> None:
    height, width = hopper.shape[:2]
    place, points = np.array([[HOPPER.x, HOPPER.y]]), reading.points
    for _ in range(turns):
        place, points = (np.stack([line[:, 1], width - 1 - line[:, 0]], axis=1) for line in (place, points))
        height, width = width, height
    turned = np.ascontiguousarray(np.rot90(hopper, turns))
    first = read_face(
        mesh_networks, turned, Crop(float(place[0, 0]), float(place[0, 1]), HOPPER.side, HOPPER.lean - 90 * turns)
    )
    again = read_face(mesh_networks, turned, first.crop)
    assert np.abs(again.points - points).mean() < 0.02 * eye_distance(reading)


@pytest.mark.parametrize("scale", [0.3, 1.5, 5])
def test_points_scale_with_the_picture(
    reading: MeshReading, hopper: Picture, placed: Place, mesh_networks: MeshNetworks, scale: float
) -> None:
    crop = reading.crop
    picture = placed((round(600 * scale), round(512 * scale)), (hopper, 0, 0, scale))
    scaled = read_face(mesh_networks, picture, Crop(crop.x * scale, crop.y * scale, crop.side * scale, crop.lean))
    assert np.abs(scaled.points / scale - reading.points).mean() < 0.03 * eye_distance(reading)


@settings(deadline=None, max_examples=25)
@given(crops)
def test_any_crop_can_be_read_and_a_face_beyond_the_frame_is_none(
    hopper: Picture, mesh_networks: MeshNetworks, crop: Crop
) -> None:
    found = read_face(mesh_networks, hopper, crop)
    assert np.isfinite(found.points).all() and 0 <= found.presence <= 1
    if max(abs(crop.x - 256), abs(crop.y - 300)) > 300 + 0.75 * crop.side:
        assert found.presence < 0.5


@settings(deadline=None)
@given(crops, st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_a_crops_matrix_says_where_its_places_are(crop: Crop, across: float, down: float) -> None:
    lean = np.radians(crop.lean)
    along, below = np.array([np.cos(lean), np.sin(lean)]), np.array([-np.sin(lean), np.cos(lean)])
    place = np.array([crop.x, crop.y]) + crop.side * (across * along + down * below)
    centre = (CROP_SIDE - 1) / 2
    seen = crop.matrix @ np.append(place, 1)
    np.testing.assert_allclose(seen, centre + CROP_SIDE * np.array([across, down]), atol=1e-6 * (1 + 1e4 / crop.side))


def turned(
    points: NDArray[np.float64], degrees: float, scale: float, shift: tuple[float, float]
) -> NDArray[np.float64]:
    lean = np.radians(degrees)
    return points @ (scale * np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])) + shift


@settings(deadline=None, max_examples=50)
@given(st.floats(-180, 180), st.floats(0.1, 10), st.floats(-2000, 2000), st.floats(-2000, 2000))
def test_the_next_crop_goes_with_the_face(
    reading: MeshReading, degrees: float, scale: float, x: float, y: float
) -> None:
    here, there = reading.crop, crop_around(turned(reading.points, degrees, scale, (x, y)))
    assert there.side == pytest.approx(here.side * scale)
    assert abs((there.lean - here.lean - degrees + 180) % 360 - 180) < 1e-6
    expected = turned(np.array([[here.x, here.y]]), degrees, scale, (x, y))[0]
    np.testing.assert_allclose((there.x, there.y), expected, atol=1e-6 * scale + 1e-6)


def test_the_crop_of_a_box_holds_the_whole_face(reading: MeshReading) -> None:
    seen = np.c_[reading.points, np.ones(478)] @ crop_of_box(reading.box, -3).matrix.T
    assert seen.min() > 0 and seen.max() < CROP_SIDE - 1
