import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.faces.boxes import (
    Box,
    box_around,
    intersection_over_union,
    most_prominent,
    share_inside,
    square_box,
)

places = st.floats(-500, 500)
widths = st.floats(1, 300)
squares = st.builds(square_box, places, places, widths)


@settings(deadline=None)
@given(squares, squares)
def test_overlap_is_a_share_and_the_same_both_ways(one: Box, other: Box) -> None:
    assert 0 <= intersection_over_union(one, other) <= 1 + 1e-9
    assert intersection_over_union(one, other) == pytest.approx(intersection_over_union(other, one))


@settings(deadline=None)
@given(squares)
def test_a_box_overlaps_itself_wholly(box: Box) -> None:
    assert intersection_over_union(box, box) == pytest.approx(1)


def test_boxes_apart_do_not_overlap() -> None:
    assert intersection_over_union(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0


def test_share_inside_counts_what_the_frame_shows() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    assert share_inside(Box(10, 10, 20, 20), frame) == 1
    assert share_inside(Box(-5, 0, 5, 10), frame) == 0.5
    assert share_inside(Box(200, 0, 210, 10), frame) == 0


def test_the_larger_face_is_more_prominent() -> None:
    frame = np.zeros((400, 400, 3), np.uint8)
    assert most_prominent([square_box(150, 200, 60), square_box(250, 200, 90)], frame) == square_box(250, 200, 90)


def test_of_two_equal_faces_the_central_one_is_more_prominent() -> None:
    frame = np.zeros((400, 400, 3), np.uint8)
    assert most_prominent([square_box(40, 40, 80), square_box(210, 190, 80)], frame) == square_box(210, 190, 80)


@settings(deadline=None)
@given(places, places, st.floats(0.1, 10))
def test_the_box_moves_and_grows_with_the_landmarks(x: float, y: float, scale: float) -> None:
    shape = np.random.default_rng(1).normal(size=(68, 2)) * 50
    still, moved = box_around(shape), box_around(shape * scale + (x, y))
    assert np.allclose(moved, np.array(still) * scale + (x, y, x, y), atol=1e-6)
