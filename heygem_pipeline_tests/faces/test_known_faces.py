from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.faces.known_faces import KnownFaceReader, read_known_faces
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.mesh_tracker import MeshTracker
from heygem_pipeline.faces.tracker import FollowedFace
from heygem_pipeline_tests.faces.conftest import Picture

LEFTS = [40.0, 48, 56, 64, 72]


@pytest.fixture(scope="module")
def frames(slide: Callable[[Iterable[float]], Iterator[Picture]]) -> list[Picture]:
    return list(slide(LEFTS))


@pytest.fixture(scope="module")
def tracked(frames: list[Picture]) -> FollowedFace:
    return MeshTracker().track(frames, Fraction(25))


def test_a_face_is_read_as_its_tracker_read_it(frames: list[Picture], tracked: FollowedFace) -> None:
    read = read_known_faces(frames, tracked.landmarks)
    assert read.lips is not None and tracked.lips is not None
    assert np.abs(read.landmarks - tracked.landmarks).mean() < 0.5
    assert np.abs(read.lips - tracked.lips).mean() < 0.5
    assert (read.score > 0.99).all()


def test_a_place_that_is_only_about_right_is_enough(frames: list[Picture], tracked: FollowedFace) -> None:
    known = tracked.landmarks + np.random.default_rng(0).normal(0, 8, (len(frames), 1, 2))
    assert np.abs(read_known_faces(frames, known).landmarks - tracked.landmarks).mean() < 1


def test_frames_far_apart_are_read_each_near_its_own_place(frames: list[Picture], tracked: FollowedFace) -> None:
    order = [0, 4, 1]
    read = read_known_faces([frames[index] for index in order], tracked.landmarks[order], (1, 2))
    assert np.abs(read.landmarks - tracked.landmarks[order]).mean() < 1
    assert read.cuts == (1, 2)


def test_a_frame_that_is_said_to_show_no_face_is_not_read(frames: list[Picture], tracked: FollowedFace) -> None:
    known = tracked.landmarks.copy()
    known[2] = np.nan
    read = read_known_faces(frames, known)
    assert read.lips is not None
    for values in (read.boxes, read.landmarks, read.lips, read.score):
        assert np.isfinite(values).reshape(5, -1).all(axis=1).tolist() == [True, True, False, True, True]


def test_where_the_face_is_gone_nothing_is_read_and_then_it_is_found_again(
    frames: list[Picture], tracked: FollowedFace, mesh_networks: MeshNetworks
) -> None:
    reader = KnownFaceReader(mesh_networks)
    shown = [frames[0], np.full_like(frames[1], 90), frames[2]]
    seen = [reader.read(frame, known) for frame, known in zip(shown, tracked.landmarks, strict=False)]
    assert [one is not None for one in seen] == [True, False, True]
