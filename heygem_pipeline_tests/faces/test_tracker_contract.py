"""What every face tracker promises, whichever networks or models it reads with."""

import weakref
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.faces.face_alignment_models import FaceAlignmentNetworks
from heygem_pipeline.faces.tracker import FaceTracker, FollowedFace
from heygem_pipeline.faces.tracker_registry import TRACKERS, load_tracker
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.faces.tracks import read_tracks, tracks_to_table, write_tracks
from heygem_pipeline.settings import NetworkSettings
from heygem_pipeline_tests.faces.conftest import Picture
from heygem_pipeline_tests.faces.shapes import made_face

RATE = Fraction(25)
MOVES = (0, 8, None, 8)
"""How far to the right the face is in each frame, pixels; None: it is not there."""

Show = Callable[[int | None], Picture]
"""A frame, uint8 (360, 640, 3), with a face so far to the right of the middle; None: the same without it."""


@pytest.fixture(scope="module")
def shows_a_photograph(hopper: Picture, placed: Callable[..., Picture]) -> Show:
    def show(shift: int | None) -> Picture:
        frame = placed((360, 640), (hopper, 160 + (shift or 0), 0, 0.6))
        if shift is None:
            frame[:320, 230:430] = 90
        return frame

    return show


@pytest.fixture(scope="module")
def shows_a_painted_face() -> Show:
    """A face as the stand-in weights know it."""
    from heygem_pipeline_tests.faces.stand_in_weights import box_side, paint_face

    def show(shift: int | None) -> Picture:
        frame = np.zeros((360, 640, 3), np.uint8)
        if shift is not None:
            paint_face(frame, (300 + shift, 232), 128 / box_side(1.0))
        return frame

    return show


@pytest.fixture(scope="module")
def networks(stand_ins: Path) -> NetworkSettings:
    """They lead to the stand-in weights."""
    return NetworkSettings(checkpoints=stand_ins, downloads=False, device="cpu")


FACES = {"mesh": "shows_a_photograph", "face_alignment": "shows_a_painted_face"}


@pytest.fixture(scope="module", params=sorted(TRACKERS))
def tracker_and_show(request: pytest.FixtureRequest, networks: NetworkSettings) -> tuple[FaceTracker, Show]:
    return load_tracker(request.param, networks), request.getfixturevalue(FACES[request.param])


@pytest.fixture(scope="module")
def tracker(tracker_and_show: tuple[FaceTracker, Show]) -> FaceTracker:
    return tracker_and_show[0]


@pytest.fixture(scope="module")
def show(tracker_and_show: tuple[FaceTracker, Show]) -> Show:
    return tracker_and_show[1]


@pytest.fixture(scope="module")
def moving(tracker: FaceTracker, show: Show) -> FollowedFace:
    return follow(tracker, show, MOVES)


def follow(tracker: FaceTracker, show: Show, shifts: Sequence[int | None]) -> FollowedFace:
    return tracker.track((show(shift) for shift in shifts), RATE)


def seen(face: FollowedFace) -> list[bool]:
    return np.isfinite(face.score).tolist()


def test_it_is_known_by_its_name(tracker: FaceTracker) -> None:
    assert type(load_tracker(tracker.name)) is type(tracker)
    assert load_tracker(tracker.name).version == tracker.version != ""


def test_there_is_a_row_a_frame_in_the_stated_form(moving: FollowedFace) -> None:
    count = len(MOVES)
    assert (moving.boxes.shape, moving.landmarks.shape, moving.score.shape) == ((count, 4), (count, 68, 2), (count,))
    assert {values.dtype for values in (moving.boxes, moving.landmarks, moving.score)} == {np.dtype(np.float32)}


def test_a_face_that_moves_and_hides_for_a_moment_is_one_face(moving: FollowedFace) -> None:
    assert seen(moving) == [shift is not None for shift in MOVES]
    assert moving.cuts == () and moving.other_faces == 0
    moved = moving.landmarks.mean(axis=1)[:, 0] - moving.landmarks[0, :, 0].mean()
    there = [index for index, shift in enumerate(MOVES) if shift is not None]
    assert np.abs(moved[there] - [shift for shift in MOVES if shift is not None]).max() < 3


def test_the_landmarks_lie_in_their_box(moving: FollowedFace) -> None:
    for box, points in zip(moving.boxes, moving.landmarks, strict=True):
        if np.isfinite(box).all():
            middle = points.mean(axis=0)
            assert box[0] < middle[0] < box[2] and box[1] < middle[1] < box[3]


def test_a_frame_without_the_face_is_a_row_without_numbers(moving: FollowedFace) -> None:
    for values in (moving.boxes, moving.landmarks, moving.score):
        assert np.isnan(values[MOVES.index(None)]).all()


def test_the_same_frames_give_the_same_bits(tracker: FaceTracker, show: Show, moving: FollowedFace) -> None:
    again = follow(tracker, show, MOVES)
    for name in ("boxes", "landmarks", "score"):
        np.testing.assert_array_equal(getattr(again, name), getattr(moving, name))
    assert (again.cuts, again.other_faces) == (moving.cuts, moving.other_faces)


def test_one_frame_is_enough(tracker: FaceTracker, show: Show) -> None:
    assert seen(follow(tracker, show, [0])) == [True]


def test_no_frames_give_no_rows(tracker: FaceTracker, show: Show) -> None:
    face = follow(tracker, show, [])
    assert (face.boxes.shape, face.landmarks.shape, face.score.shape) == ((0, 4), (0, 68, 2), (0,))


def test_frames_without_a_face_give_rows_without_numbers_and_progress_counts_them(
    tracker: FaceTracker, show: Show
) -> None:
    counts: list[int] = []
    face = tracker.track((show(None) for _ in range(3)), RATE, counts.append)
    assert counts == sorted(set(counts)) and counts[-1] == len(face.score) == 3
    for values in (face.boxes, face.landmarks, face.score):
        assert np.isnan(values).all()


def test_frames_are_read_once_and_let_go(tracker: FaceTracker, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing here depends on what is found, and fifty frames take the networks half a minute.
    monkeypatch.setattr(FaceAlignmentNetworks, "detect", lambda _, frames: [[] for _ in frames])
    alive: list[weakref.ref[Picture]] = []
    most = 0

    def watched() -> Iterator[Picture]:
        nonlocal most
        for number in range(50):
            frame = show(number % 8)
            alive.append(weakref.ref(frame))
            most = max(most, sum(reference() is not None for reference in alive))
            yield frame
            del frame

    assert len(tracker.track(watched(), RATE).score) == len(alive) == 50
    # Two batches of 16 at most: the one that was looked at and the one that is being read.
    assert most <= 32


def test_its_tracks_are_stored_as_those_of_every_tracker_are(moving: FollowedFace, tmp_path: Path) -> None:
    tracks = complete_tracks(moving, RATE, (640, 360))
    landmarks = (made_face() * 100 + 200).astype(np.float32)[None]
    made_up = FollowedFace(np.full((1, 4), 200, np.float32), landmarks, np.ones(1, np.float32), (), 0)
    expected = tracks_to_table(complete_tracks(made_up, RATE, (640, 360))).schema
    assert tracks_to_table(tracks).schema.remove_metadata() == expected.remove_metadata()
    write_tracks(tracks, tmp_path / "tracks.parquet")
    np.testing.assert_array_equal(read_tracks(tmp_path / "tracks.parquet").landmarks, tracks.landmarks)
