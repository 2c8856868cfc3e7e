"""Which face the tracker face_alignment follows, given what a detector finds."""

from collections.abc import Callable

import numpy as np
import pytest

from heygem_pipeline.faces.boxes import Box, FacePlace, square_box
from heygem_pipeline.faces.face_alignment_follower import FaceSelector, SelectedFace

Place = Callable[..., np.ndarray]
HOPPER, COLLINS = square_box(225, 200, 180), square_box(735, 100, 110)


@pytest.fixture(scope="module")
def both(hopper: np.ndarray, collins: np.ndarray, placed: Place) -> np.ndarray:
    return placed((512, 1024), (hopper, 0, 0, 0.85), (collins, 512, 0, 1))


def follow(
    frames: list[tuple[np.ndarray, list[tuple[Box, float]]]], rate: float = 25
) -> tuple[FaceSelector, list[SelectedFace | None]]:
    choice = FaceSelector(rate)
    return choice, [choice.update(frame, faces) for frame, faces in frames]


def test_the_larger_face_is_followed_and_the_other_counted(both: np.ndarray) -> None:
    choice, seen = follow([(both, [(COLLINS, 0.99), (HOPPER, 0.9)])] * 3)
    assert [face.box for face in seen if face] == [HOPPER] * 3
    assert [face.begins for face in seen if face] == [True, False, False]
    assert choice.other_faces == 1 and choice.cuts == ()


def test_a_face_that_was_pointed_at_is_followed_though_another_is_larger(both: np.ndarray) -> None:
    choice = FaceSelector(25, FacePlace(0.7, 0.2))
    seen = [choice.update(both, [(COLLINS, 0.99), (HOPPER, 0.9)]) for _ in range(3)]
    assert [face.box for face in seen if face] == [COLLINS] * 3 and choice.other_faces == 1


def test_a_doubtful_face_is_no_beginning_but_confirms(both: np.ndarray) -> None:
    _, seen = follow([(both, [(HOPPER, 0.6)]), (both, [(HOPPER, 0.95)]), (both, [(HOPPER, 0.55)])])
    assert [face is not None for face in seen] == [False, True, True]


def test_a_face_lost_for_a_moment_is_the_same_one_in_a_run_of_its_own(both: np.ndarray) -> None:
    choice, seen = follow([(both, [(HOPPER, 0.9)]), (both, []), (both, [(HOPPER, 0.9)])])
    assert seen[1] is None and seen[2] is not None and seen[2].begins
    assert choice.cuts == ()


def test_another_person_takes_over_only_after_two_seconds(both: np.ndarray) -> None:
    choice, seen = follow([(both, [(HOPPER, 0.9), (COLLINS, 0.9)])] + [(both, [(COLLINS, 0.9)])] * 30, rate=10)
    taken = [index for index, face in enumerate(seen) if face is not None]
    assert taken == [0, *range(21, 31)]
    assert choice.cuts == (21,)


def test_a_cut_to_another_person_in_the_same_place_begins_anew(hopper: np.ndarray, collins: np.ndarray) -> None:
    first = hopper[:512, :512]
    found = [(square_box(265, 235, 210), 0.9)]
    choice, seen = follow([(first, found)] * 3 + [(collins, [(square_box(225, 100, 150), 0.9)])] * 3)
    assert choice.cuts == (3,)
    assert [face.begins for face in seen if face] == [True, False, False, True, False, False]


def test_a_face_at_the_edge_that_is_not_whole_does_not_count(both: np.ndarray) -> None:
    _, seen = follow([(both, [(square_box(20, 200, 180), 0.99)])])
    assert seen == [None]


def test_nothing_is_found_where_nothing_is_detected(both: np.ndarray) -> None:
    choice, seen = follow([(both, [])] * 5)
    assert seen == [None] * 5 and choice.other_faces == 0
