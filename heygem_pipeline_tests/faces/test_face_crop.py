import numpy as np
import pytest

from heygem_pipeline.faces.boxes import Box, square_box
from heygem_pipeline.faces.face_crop import FAN_SIDE, crop_face, fan_square, points_to_frame


@pytest.mark.parametrize("width", [40.0, 150.0, 700.0])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.06, -0.05)])
def test_what_is_seen_in_the_crop_lies_where_it_is_said_to_lie(width: float, shift: tuple[float, float]) -> None:
    cut_at = square_box(900.0, 700.0, width)
    box = square_box(900.0 + shift[0] * width, 700.0 + shift[1] * width, width)
    frame = np.zeros((1600, 1800, 3), np.uint8)
    row, column = np.mgrid[0:1600, 0:1800]
    spot = np.array([900 + 0.31 * width, 700 - 0.22 * width])
    blob = np.exp(-((column - spot[0]) ** 2 + (row - spot[1]) ** 2) / (2 * (0.03 * width) ** 2))
    frame[:, :, 2] = np.round(blob * 255)
    crop = crop_face(frame, cut_at).fan_input(box)
    assert crop.shape == (FAN_SIDE, FAN_SIDE, 3) and crop[:, :, 1:].max() == 0
    weight = crop[:, :, 0].astype(float)
    row, column = np.mgrid[0:FAN_SIDE, 0:FAN_SIDE] + 0.5
    seen = np.array([[(weight * column).sum(), (weight * row).sum()]]) / weight.sum()
    assert np.abs(points_to_frame(seen, box)[0] - spot).max() < 0.01 * width


def test_what_lies_outside_the_frame_is_black() -> None:
    frame = np.full((100, 100, 3), 200, np.uint8)
    crop = crop_face(frame, Box(-40, 20, 40, 100)).fan_input(Box(-40, 20, 40, 100))
    assert crop[:, :100].max() == 0 and crop[128, 200].min() == 200


def test_a_cut_is_of_one_size_however_large_the_face() -> None:
    frame = np.zeros((900, 900, 3), np.uint8)
    assert (
        crop_face(frame, square_box(450, 450, 30)).pixels.shape
        == crop_face(frame, square_box(450, 450, 800)).pixels.shape
    )


def test_the_crop_reaches_above_the_box_further_than_below() -> None:
    crop = fan_square(square_box(0, 0, 195))
    assert (crop.width, *crop.centre) == pytest.approx((400, 0, -0.12 * 195))
