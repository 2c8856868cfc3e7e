import weakref
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.faces.dlib_tracker import DlibTracker
from heygem_pipeline.faces.tracker import FollowedFace

Slide = Callable[[Iterable[float]], Iterator[np.ndarray]]
Place = Callable[..., np.ndarray]
RATE = Fraction(25)


def follow(frames: Iterable[np.ndarray]) -> FollowedFace:
    return DlibTracker().track(frames, RATE)


def seen(face: FollowedFace) -> np.ndarray:
    return np.isfinite(face.boxes[:, 0])


def test_a_moving_face_is_followed_in_every_frame(slide: Slide) -> None:
    lefts = 40 + 30 * np.sin(np.arange(40) / 6)
    face = follow(slide(lefts))
    assert seen(face).all()
    assert face.cuts == () and face.other_faces == 0
    centres = face.landmarks[:, 27:36, 0].mean(axis=1)
    assert np.abs((centres - centres.mean()) - (lefts - lefts.mean())).max() < 2


def test_a_picture_without_a_face_gives_nothing() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    face = follow([noise] * 5)
    assert not seen(face).any()
    assert np.isnan(face.landmarks).all() and np.isnan(face.score).all()


def test_a_face_of_64_pixels_is_found_in_a_720p_picture(hopper: np.ndarray, placed: Place) -> None:
    face = follow([placed((720, 1280), (hopper, 500, 300, 0.33))] * 3)
    assert seen(face).all()
    assert 55 < face.boxes[0, 2] - face.boxes[0, 0] < 80


def test_of_two_faces_the_larger_is_followed_and_the_other_counted(
    hopper: np.ndarray, collins: np.ndarray, placed: Place
) -> None:
    frames = [placed((512, 1024), (hopper, shift, 0, 0.85), (collins, 512 - shift, 0, 1)) for shift in range(10)]
    face = follow(frames)
    assert seen(face).all() and face.other_faces == 1
    assert (face.boxes[:, 2] < 512).all()


def test_a_cut_to_another_person_begins_anew(hopper: np.ndarray, collins: np.ndarray, placed: Place) -> None:
    first = [placed((500, 500), (hopper, 20, 0, 0.8))] * 8
    then = [placed((500, 500), (collins, -160, 0, 1.7))] * 8
    face = follow(first + then)
    assert face.cuts == (8,)
    alone = follow(then)
    np.testing.assert_array_equal(face.landmarks[8:], alone.landmarks)


def test_a_face_that_slides_out_of_the_picture_is_absent(slide: Slide) -> None:
    lefts = np.concatenate([np.full(10, 40), np.linspace(40, -420, 50), np.full(10, -420)])
    present = seen(follow(slide(lefts)))
    assert present[:10].all()
    assert not present[lefts < -250].any()
    assert np.flatnonzero(np.diff(present.astype(int))).size == 1


def test_a_face_hidden_for_a_moment_is_the_same_face_after(slide: Slide) -> None:
    frames = list(slide(np.full(30, 40)))
    for hidden in frames[10:14]:
        hidden[:] = 90
    face = follow(frames)
    assert not seen(face)[10:14].any()
    assert seen(face)[:10].all() and seen(face)[14:].all()


def test_another_person_does_not_take_over_while_the_presenter_is_hidden(
    hopper: np.ndarray, collins: np.ndarray, placed: Place
) -> None:
    both = placed((512, 1024), (hopper, 0, 0, 0.85), (collins, 512, 0, 1))
    one = both.copy()
    one[:, :400] = 90
    face = follow([both] * 8 + [one] * 20 + [both] * 8)
    assert seen(face).tolist() == [True] * 8 + [False] * 20 + [True] * 8
    assert (face.boxes[seen(face), 2] < 512).all()


def test_another_person_takes_over_when_the_presenter_is_gone_for_long(
    hopper: np.ndarray, collins: np.ndarray, placed: Place
) -> None:
    both = placed((512, 1024), (hopper, 0, 0, 0.85), (collins, 512, 0, 1))
    one = both.copy()
    one[:, :400] = 90
    face = follow([both] * 5 + [one] * 70)
    assert seen(face)[-1] and face.boxes[-1, 0] > 512
    assert len(face.cuts) == 1
    assert not seen(face)[5 : face.cuts[0]].any()


def test_frames_are_let_go_as_they_come(slide: Slide) -> None:
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    def watched() -> Iterator[np.ndarray]:
        nonlocal most
        for frame in slide(np.full(30, 40)):
            alive.append(weakref.ref(frame))
            most = max(most, sum(reference() is not None for reference in alive))
            yield frame
            del frame

    follow(watched())
    assert most <= 3


def test_a_head_that_leans_is_followed_down_and_up_again(hopper: np.ndarray) -> None:
    import cv2

    leans = 45 * np.sin(np.linspace(0, np.pi, 40))
    turns = [cv2.getRotationMatrix2D((275, 200), -lean, 1.0) for lean in leans]
    frames = [np.asarray(cv2.warpAffine(hopper, turn, (512, 600)), np.uint8) for turn in turns]
    face = follow(frames)
    assert seen(face).all() and face.cuts == ()
    eyes = face.landmarks[:, 45] - face.landmarks[:, 36]
    read = np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))
    assert np.abs((read - read[0]) - leans).max() < 5


def test_progress_counts_the_frames(slide: Slide) -> None:
    counts: list[int] = []
    DlibTracker().track(slide([40, 41, 42]), RATE, counts.append)
    assert counts == [1, 2, 3]


@pytest.mark.parametrize("scale", [0.3, 1.5])
def test_landmarks_scale_with_the_picture(hopper: np.ndarray, placed: Place, scale: float) -> None:
    plain = follow([placed((600, 512), (hopper, 0, 0, 1))] * 3).landmarks[1]
    scaled = follow([placed((round(600 * scale), round(512 * scale)), (hopper, 0, 0, scale))] * 3).landmarks[1]
    assert np.abs(scaled / scale - plain).mean() < 2.5
