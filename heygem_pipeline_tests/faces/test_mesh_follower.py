from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest

from heygem_pipeline.faces import mesh_follower
from heygem_pipeline.faces.mesh_detection import detect_others
from heygem_pipeline.faces.mesh_follower import FaceFollower, FaceObservation, count_others
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline_tests.faces.conftest import Picture
from heygem_pipeline_tests.faces.warped_faces import looking_aside, speaking

Place = Callable[..., Picture]
RATE = 10.0
"""Frames a second; the choice among several faces then takes 15 frames."""
HOPPERS_MOUTH, HOPPERS_NOSE, HOPPERS_WIDTH, COLLINS_MOUTH = (268, 278), (265, 230), 200, (224, 142)


class Followed:
    """What a follower said of a row of frames: the followed face of each, None where it is not seen."""

    def __init__(self, networks: MeshNetworks, frames: Iterable[Picture]) -> None:
        self._networks = networks
        self.follower = FaceFollower(networks, RATE)
        self.faces: list[FaceObservation | None] = []
        self.surveyed: list[int] = []
        """Of every frame that was looked through for them: how many further faces it shows."""
        for frame in frames:
            self.faces.append(None)
            self._note(self.follower.update(frame))
        self._note(self.follower.end())

    def _note(self, faces: list[FaceObservation]) -> None:
        for face in faces:
            assert self.faces[face.index] is None
            self.faces[face.index] = face
            if face.surveyed is not None:
                self.surveyed.append(count_others(self._networks, face.surveyed, face.box))

    @property
    def seen(self) -> list[bool]:
        return [face is not None for face in self.faces]

    @property
    def centres(self) -> list[float]:
        return [face.box.centre[0] for face in self.faces if face is not None]


@pytest.fixture
def follow(mesh_networks: MeshNetworks) -> Callable[[Iterable[Picture]], Followed]:
    return lambda frames: Followed(mesh_networks, frames)


Follow = Callable[[Iterable[Picture]], Followed]


@pytest.fixture(scope="module")
def both(hopper: Picture, collins: Picture, placed: Place) -> Picture:
    """Grace Hopper, large, left of Eileen Collins."""
    return placed((512, 1024), (hopper, 0, 0, 0.85), (collins, 512, 0, 1))


@pytest.fixture(scope="module")
def one(both: Picture) -> Picture:
    """The same, Grace Hopper gone."""
    frame = both.copy()
    frame[:, :400] = 90
    return frame


def test_of_two_still_faces_the_larger_is_followed_and_the_other_counted(both: Picture, follow: Follow) -> None:
    found = follow([both] * 20)
    assert all(found.seen) and max(found.centres) < 400
    assert found.follower.rivals == 1 and found.follower.cuts == ()


def test_a_smaller_face_that_speaks_is_followed_rather_than_a_larger_picture(
    hopper: Picture, collins: Picture, placed: Place, follow: Follow
) -> None:
    drops = 10 * np.sin(np.arange(20) * 1.3) ** 2
    frames = [
        placed((512, 1024), (collins, 0, 0, 1), (speaking(hopper, HOPPERS_MOUTH, 60, drop), 650, 100, 0.4))
        for drop in drops
    ]
    found = follow(frames)
    assert all(found.seen) and min(found.centres) > 650
    assert found.follower.cuts == ()
    still = follow([frames[0]] * 20)
    assert max(still.centres) < 512


def test_a_face_that_looks_this_way_is_followed_rather_than_one_turned_aside(
    hopper: Picture, collins: Picture, placed: Place, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A photograph can be bent to a yaw of 29 degrees before its face is none any more.
    monkeypatch.setattr(mesh_follower, "FRONTAL_YAW", 22.0)
    drops = 10 * np.sin(np.arange(16) * 1.3) ** 2

    def conversation(*, aside: bool) -> Iterator[Picture]:
        for drop in drops:
            left = speaking(hopper, HOPPERS_MOUTH, 60, drop)
            left = looking_aside(left, HOPPERS_NOSE, HOPPERS_WIDTH) if aside else left
            right = speaking(collins, COLLINS_MOUTH, 30, drop / 2)
            yield placed((512, 1024), (left, 0, 0, 0.85), (right, 512, 0, 1))

    assert min(follow(conversation(aside=True)).centres) > 512
    assert max(follow(conversation(aside=False)).centres) < 512


def test_a_clip_that_ends_before_the_choice_has_a_face_in_every_frame(both: Picture, follow: Follow) -> None:
    found = follow([both] * 3)
    assert all(found.seen) and max(found.centres) < 400


def test_a_cut_while_the_choice_is_open_begins_anew(
    both: Picture, hopper: Picture, placed: Place, follow: Follow
) -> None:
    found = follow([both] * 5 + [placed((512, 1024), (hopper, 560, -20, 0.9))] * 5)
    assert all(found.seen) and found.follower.cuts == (5,)
    assert max(found.centres[:5]) < 400 < 700 < min(found.centres[5:])


def test_a_cut_to_another_person_begins_anew(hopper: Picture, collins: Picture, placed: Place, follow: Follow) -> None:
    first = [placed((500, 500), (hopper, 20, 0, 0.8))] * 4
    then = [placed((500, 500), (collins, -160, 0, 1.7))] * 4
    found, alone = follow(first + then), follow(then)
    assert found.follower.cuts == (4,) and all(found.seen)
    for here, there in zip(found.faces[4:], alone.faces, strict=True):
        assert here is not None and there is not None
        np.testing.assert_array_equal(here.reading.points, there.reading.points)


def test_a_flash_is_no_cut(hopper: Picture, follow: Follow) -> None:
    frames = [hopper] * 8
    frames[4] = np.asarray(np.clip(hopper.astype(int) + 60, 0, 255), np.uint8)
    found = follow(frames)
    assert all(found.seen) and found.follower.cuts == ()


def test_a_face_hidden_for_a_moment_is_the_same_face_after(hopper: Picture, follow: Follow) -> None:
    hidden = hopper.copy()
    hidden[100:360, 150:390] = 90
    found = follow([hopper] * 4 + [hidden] * 3 + [hopper] * 4)
    assert found.seen == [True] * 4 + [False] * 3 + [True] * 4
    assert found.follower.cuts == ()


def test_another_person_takes_over_only_when_the_followed_one_is_gone_for_two_seconds(
    both: Picture, one: Picture, follow: Follow
) -> None:
    found = follow([both] * 16 + [one] * 15 + [both] * 3)
    assert found.seen == [True] * 16 + [False] * 15 + [True] * 3
    assert max(found.centres) < 400 and found.follower.cuts == ()
    gone = follow([both] * 16 + [one] * 30)
    (begins,) = gone.follower.cuts
    assert 16 + 20 <= begins <= 16 + 20 + RATE
    assert gone.seen == [True] * 16 + [False] * (begins - 16) + [True] * (46 - begins)
    assert gone.centres[-1] > 512


def test_a_face_that_slides_out_of_the_picture_is_absent(
    slide: Callable[[Iterable[float]], Iterable[Picture]], follow: Follow
) -> None:
    lefts = np.concatenate([np.linspace(40, -420, 30), np.full(5, -420)])
    seen = np.array(follow(slide(lefts)).seen)
    assert seen[:5].all() and not seen[lefts < -250].any()
    assert np.flatnonzero(np.diff(seen.astype(int))).size == 1


def test_a_presenter_who_lies_across_is_followed_too(hopper: Picture, follow: Follow) -> None:
    found = follow([np.ascontiguousarray(np.rot90(hopper))] * 3)
    assert all(found.seen)
    assert all(face is not None and abs(face.reading.crop.lean + 90) < 15 for face in found.faces)


def test_what_only_the_detector_takes_for_a_face_is_not_counted(
    hopper: Picture, collins: Picture, placed: Place, follow: Follow, mesh_networks: MeshNetworks
) -> None:
    suit = np.ascontiguousarray(np.rot90(collins))
    suit[200:350, :230] = 90  # her face
    frame = placed((600, 1100), (hopper, 0, 0, 1), (suit, 512, 0, 1))
    found = follow([frame] * 11)
    assert all(found.seen) and max(found.centres) < 400
    assert found.faces[0] is not None and detect_others(mesh_networks, frame, found.faces[0].box, 0.5)
    assert found.follower.rivals == 0 and found.surveyed == [0]


def test_a_face_that_comes_in_later_is_counted_once_a_second(both: Picture, one: Picture, follow: Follow) -> None:
    found = follow([one] * 15 + [both] * 10)
    assert all(found.seen) and found.follower.rivals == 0
    assert found.surveyed == [0, 1]
