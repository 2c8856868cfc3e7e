"""Photographs that move: measured on the demo's photograph of Eileen Collins, who looks into the camera."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.clip.photograph_motion import in_motion
from heygem_pipeline.demo.portraits import ASTRONAUT
from heygem_pipeline.faces.mesh_follower import FaceFollower
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.mesh_reader import MeshReading
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.photographs.eyelids import eyes_of
from heygem_pipeline.photographs.photograph import Eyes, MovingPhotograph, with_lids
from heygem_pipeline.storage.fingerprint import text_digest

Pixels = NDArray[np.uint8]
FINGERPRINT = text_digest("Eileen Collins", 64)


@pytest.fixture(scope="module")
def picture() -> Pixels:
    import cv2

    return np.asarray(
        cv2.resize(ASTRONAUT.photograph()[:360], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8
    )


@pytest.fixture(scope="module")
def reading(picture: Pixels) -> MeshReading:
    follower = FaceFollower(MeshNetworks(), 25.0)
    return [*follower.update(picture), *follower.end()][0].reading


def photograph(folder: Path, picture: Pixels, fingerprint: str = FINGERPRINT) -> MovingPhotograph:
    import cv2

    path = folder / "photograph.png"
    cv2.imwrite(str(path), picture)
    return MovingPhotograph(path, (picture.shape[1], picture.shape[0]), fingerprint, Fraction(25))


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory, picture: Pixels) -> MovingPhotograph:
    return photograph(tmp_path_factory.mktemp("photograph"), picture)


def test_the_first_frame_is_the_photograph_and_its_frames_are_the_same_every_time(
    moving: MovingPhotograph, picture: Pixels, tmp_path: Path
) -> None:
    assert moving.part(0) is None
    again, otherwise = photograph(tmp_path, picture), photograph(tmp_path, picture, text_digest("another", 64))
    first, second, third = (one.part(120) for one in (moving, again, otherwise))
    assert first is not None and second is not None and third is not None
    assert first[:2] == second[:2] and np.array_equal(first[2], second[2])
    assert not np.array_equal(first[2], third[2])


def test_only_the_head_moves_and_nothing_jumps(moving: MovingPhotograph, picture: Pixels, reading: MeshReading) -> None:
    """Background and shoulders keep their very pixels; around the eyes the picture moves by some pixels, slowly."""
    places: list[NDArray[np.float64]] = []
    height, width = picture.shape[:2]
    follower = FaceFollower(MeshNetworks(), 25.0)
    changed = np.zeros((height, width), bool)
    for index in range(0, moving.frame_count, 10):
        part = moving.part(index)
        frame = picture.copy()
        if part is not None:
            left, top, pixels = part
            frame[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        changed |= np.any(frame != picture, axis=2)
        (seen,) = follower.update(frame)
        places.append(seen.reading.points[4])
    apart = float(np.hypot(*(reading.points[263] - reading.points[33])))
    assert not changed[:, : int(0.12 * width)].any() and not changed[:, int(0.92 * width) :].any()
    assert not changed[int(reading.points[152][1] + 1.5 * apart) :].any()
    assert not changed[0].any()
    reach, steps = np.ptp(places, axis=0), np.abs(np.diff(places, axis=0))
    assert 0.02 * apart < reach.max() < 0.25 * apart
    assert steps.max() < 0.12 * apart


def test_the_mesh_reads_the_drawn_lids_as_closed_eyes(moving: MovingPhotograph, picture: Pixels) -> None:
    assert moving.eyes is Eyes.BLINK
    blink = int(np.argmax(moving._motion.eyes_closed))
    part = moving.part(blink)
    assert part is not None
    frame = picture.copy()
    frame[part[1] : part[1] + part[2].shape[0], part[0] : part[0] + part[2].shape[1]] = part[2]
    read = [FaceFollower(MeshNetworks(), 25.0).update(one)[0].reading for one in (picture, frame)]
    opened, closed = (np.mean([eye.opening / eye.width for eye in eyes_of(picture, one.points)]) for one in read)
    assert closed < 0.6 * opened


def test_eyes_that_are_closed_or_covered_do_not_blink(picture: Pixels, reading: MeshReading, tmp_path: Path) -> None:
    import cv2

    eyes = eyes_of(picture, reading.points)
    sunglasses = picture.copy()
    for eye in eyes:
        cv2.ellipse(
            sunglasses,
            eye.middle.astype(int).tolist(),
            (int(0.85 * eye.width), int(0.7 * eye.width)),
            0,
            0,
            360,
            (25, 20, 20),
            -1,
        )
    small = np.asarray(cv2.resize(picture, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA), np.uint8)
    nobody = np.full((240, 320, 3), 128, np.uint8)
    for covered in (sunglasses, small, nobody):
        assert photograph(tmp_path, covered).eyes is Eyes.UNSEEN
    assert photograph(tmp_path, with_lids(picture, eyes, 1.0)).eyes is Eyes.CLOSED
    assert photograph(tmp_path, nobody).part(100) is None


def test_a_presenter_of_it_plays_forward_and_back(picture: Pixels, tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "photograph.png"
    cv2.imwrite(str(path), picture[:361, 200:841])
    still = FrameSequence.open(path)
    sequence = in_motion(still, FINGERPRINT, None)
    count = sequence.info.frame_count
    assert (still.info.frame_count, count, sequence.info.still) == (1, 400, True)
    assert np.array_equal(next(iter(sequence.frames())), next(iter(still.frames())))
    beginning = replace(sequence, info=replace(sequence.info, frame_count=12))
    shown = [(index, frame.whole()) for index, frame in beginning.shown(14)]
    assert [index for index, _ in shown] == [*range(12), 10, 9]
    assert np.array_equal(shown[10][1], shown[12][1]) and not np.array_equal(shown[9][1], shown[11][1])
    for exact, near in zip(beginning.frames(), beginning.frames(exact=False), strict=True):
        assert np.abs(exact.astype(int) - near).mean() < 2
    assert [index for index, frame in enumerate(beginning.frames()) if not np.array_equal(frame, shown[index][1])] == []
