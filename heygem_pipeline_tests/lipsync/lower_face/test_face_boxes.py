"""The network looks at the whole face, steadily, and never beyond the frame."""

from dataclasses import replace

import numpy as np
import pytest

from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.lower_face.face_boxes import LEAST_SIDE, locate_faces


def test_the_box_holds_forehead_cheeks_and_chin(closed_lips: HeldPresenter) -> None:
    points, boxes = closed_lips.tracks.landmarks, locate_faces(closed_lips.tracks).boxes
    left, top, right, bottom = boxes.T
    brows, chin = points[:, 17:27, 1].min(axis=1), points[:, :, 1].max(axis=1)
    assert (abs(left - points[:, :, 0].min(axis=1)) < 3).all()
    assert (abs(right - points[:, :, 0].max(axis=1)) < 3).all()
    assert (bottom > chin).all()
    assert (bottom - chin < 0.08 * (bottom - top)).all()
    assert (top < brows - 0.3 * (chin - brows)).all()


def test_the_mouth_lies_in_the_half_that_is_drawn(closed_lips: HeldPresenter, smile: HeldPresenter) -> None:
    for presenter in (closed_lips, smile):
        _, top, _, bottom = locate_faces(presenter.tracks).boxes.T
        lips = presenter.tracks.landmarks[:, 48:, 1]
        assert (lips.min(axis=1) > (top + bottom) / 2).all()


def test_a_jumping_landmark_is_averaged_over_five_frames(closed_lips: HeldPresenter) -> None:
    jumping = closed_lips.tracks.landmarks.copy()
    jumping[6, :17, 0] += 10
    before, after = (
        locate_faces(replace(closed_lips.tracks, landmarks=points)).boxes[:, 2].astype(int)
        for points in (closed_lips.tracks.landmarks, jumping)
    )
    moved = after - before
    assert set(moved[4:9]) <= {1, 2, 3}
    assert not moved[:4].any()
    assert not moved[9:].any()


@pytest.mark.parametrize(("right", "down"), [(-260, 0), (260, 0), (0, 330), (0, -230), (2000, 0), (0, -2000)])
def test_a_box_stays_within_the_frame_and_a_face_outside_is_not_looked_at(
    closed_lips: HeldPresenter, right: int, down: int
) -> None:
    shown = closed_lips.moved(right, down)
    face_boxes, (width, height) = locate_faces(shown.tracks), shown.tracks.size
    assert (face_boxes.boxes >= 0).all()
    assert (face_boxes.boxes[:, [0, 2]] <= width).all()
    assert (face_boxes.boxes[:, [1, 3]] <= height).all()
    sides = (face_boxes.boxes[:, 2:] - face_boxes.boxes[:, :2]).min(axis=1)
    np.testing.assert_array_equal(face_boxes.usable, sides >= LEAST_SIDE)
    if max(abs(right), abs(down)) == 2000:
        assert not face_boxes.usable.any()


def test_frames_without_a_face_are_not_usable(closed_lips: HeldPresenter) -> None:
    usable = locate_faces(closed_lips.without_face(0, 5).tracks).usable
    assert not usable[[0, 5]].any()
    assert usable[1:5].all()
    nobody = closed_lips.without_face(*range(len(closed_lips.pictures)))
    assert not locate_faces(nobody.tracks).usable.any()


def test_it_tells_shut_lips_from_parted_ones(closed_lips: HeldPresenter, smile: HeldPresenter) -> None:
    assert locate_faces(closed_lips.tracks).parted.max() == 0
    assert locate_faces(smile.tracks).parted.min() > 0.5
