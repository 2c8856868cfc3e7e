import numpy as np
import pytest

from heygem_pipeline.faces.boxes import Box
from heygem_pipeline.faces.close_up import CLOSE_UP_SIDE, crop_close_up


@pytest.mark.parametrize("width", [60, 250, 900])
def test_a_close_up_has_one_size_however_large_the_face(width: int) -> None:
    frame = np.full((720, 1280, 3), 200, np.uint8)
    assert crop_close_up(frame, Box(300, 200, 300 + width, 200 + width)).picture.shape == (CLOSE_UP_SIDE, CLOSE_UP_SIDE)


@pytest.mark.parametrize("width", [60, 250, 900])
def test_a_dot_of_the_frame_is_found_where_the_close_up_says(width: int) -> None:
    frame = np.zeros((1080, 1920, 3), np.uint8)
    frame[495:506, 795:806] = 255
    close_up = crop_close_up(frame, Box(800 - width / 2, 500 - width / 2, 800 + width / 2, 500 + width / 2))
    rows, columns = np.nonzero(close_up.picture > 127)
    dot = close_up.points_to_frame(np.array([[columns.mean(), rows.mean()]]))
    np.testing.assert_allclose(dot, [[800, 500]], atol=0.5)


@pytest.mark.parametrize("roll", [-25, 25, 50])
def test_a_leaning_face_is_set_upright_and_its_dots_are_found(roll: float) -> None:
    frame = np.zeros((600, 600, 3), np.uint8)
    frame[345:356, 325:336] = 255
    close_up = crop_close_up(frame, Box(200, 200, 400, 400), roll)
    assert close_up.rotation != 0 and abs(close_up.rotation - roll) < 15
    rows, columns = np.nonzero(close_up.picture > 127)
    dot = close_up.points_to_frame(np.array([[columns.mean(), rows.mean()]]))
    np.testing.assert_allclose(dot, [[330, 350]], atol=0.5)


def test_a_head_held_as_usual_is_not_rotated() -> None:
    frame = np.random.default_rng(0).integers(0, 255, (400, 400, 3)).astype(np.uint8)
    box = Box(100, 100, 200, 200)
    np.testing.assert_array_equal(crop_close_up(frame, box, 15).picture, crop_close_up(frame, box).picture)


@pytest.mark.parametrize("roll", [0, 30])
def test_inward_and_outward_undo_each_other(roll: float) -> None:
    frame = np.zeros((400, 400), np.uint8)
    box = Box(101.5, 90.25, 160.5, 149.25)
    close_up = crop_close_up(frame, box, roll)
    assert close_up.to_frame(close_up.to_close_up(box)) == pytest.approx(box)


def test_outside_the_frame_is_black() -> None:
    frame = np.full((100, 100, 3), 255, np.uint8)
    picture = crop_close_up(frame, Box(-50, -50, 50, 50)).picture
    assert picture[: CLOSE_UP_SIDE // 2 - 4].max() == 0
    assert picture[CLOSE_UP_SIDE // 2 + 4 :, CLOSE_UP_SIDE // 2 + 4 :].min() == 255


def test_a_box_wholly_outside_gives_a_black_picture() -> None:
    frame = np.full((100, 100, 3), 255, np.uint8)
    assert crop_close_up(frame, Box(500, 500, 560, 560)).picture.max() == 0
