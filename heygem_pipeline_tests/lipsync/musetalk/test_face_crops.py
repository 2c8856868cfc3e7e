"""The box the network looks at: the reference's rule, steady, and never squeezed at the frame's edge."""

import zlib
from dataclasses import replace

import numpy as np
import pytest

from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.lower_face.blending import FaceRegion
from heygem_pipeline.lipsync.musetalk.face_crops import CHIN_SHARE, face_boxes, locate_faces, network_face
from heygem_pipeline_tests.lipsync.musetalk.stand_in import vectors


def ruled_landmarks(cx: float, cy: float, sx: float, sy: float, turn: float = 0.0) -> np.ndarray:
    """By the rule of ``vectors.json``."""
    k = np.arange(68)
    jaw = np.stack([-np.cos(np.pi * k[:17] / 16), 0.1 + 0.9 * np.sin(np.pi * k[:17] / 16)], 1)
    brows = np.concatenate(
        [
            np.stack([-0.75 + 0.13 * np.arange(5), np.full(5, -0.42)], 1),
            np.stack([0.23 + 0.13 * np.arange(5), np.full(5, -0.42)], 1),
        ]
    )
    bridge = np.stack([np.zeros(4), -0.22 + 0.12 * np.arange(4)], 1)
    nostrils = np.stack([-0.2 + 0.1 * np.arange(5), np.full(5, 0.22)], 1)
    round_six = np.pi * np.arange(6) / 3
    eyes = [
        np.stack([middle + 0.15 * np.cos(round_six), -0.2 + 0.07 * np.sin(round_six)], 1) for middle in (-0.45, 0.45)
    ]
    around = 2 * np.pi * np.arange(20) / 20
    mouth = np.stack([0.32 * np.cos(around), 0.55 + 0.13 * np.sin(around)], 1)
    x, y = np.concatenate([jaw, brows, bridge, nostrils, *eyes, mouth]).T
    return np.stack(
        [
            cx + sx * (np.cos(turn) * x - np.sin(turn) * y),
            cy + sy * (np.sin(turn) * x + np.cos(turn) * y),
        ],
        1,
    ).astype(np.float32)


@pytest.mark.parametrize(
    "known",
    [one for one in vectors()["boxes"] if one["bbox_shift"] == 0 and not one["detector_fallback"]],
    ids=lambda one: one["name"],
)
def test_boxes_are_the_references_but_for_the_frames_edge(known: dict) -> None:
    left, top, right, bottom = face_boxes(ruled_landmarks(*known["cx_cy_sx_sy_rot"])[None])[0]
    chin = (bottom + CHIN_SHARE * top) / (1 + CHIN_SHARE)
    # The reference cuts its points to whole pixels, that of the bridge counts twice, and the box at the upper edge.
    off = np.abs(np.array([left, max(top, 0), right, chin]) - known["box"])
    assert (off <= [1, 2, 1, 1]).all()


def test_ten_pixels_lie_below_the_chin_of_a_face_of_250() -> None:
    points = ruled_landmarks(240, 180, 90, 126.3)
    assert face_boxes(points[None])[0, 3] - points[:, 1].max() == pytest.approx(10, abs=0.3)


def test_a_face_is_enlarged_as_by_the_reference() -> None:
    known = vectors()["crop"]
    y, x, channel = np.indices((360, 480, 3))
    frame = np.rint(127.5 + 70 * np.sin(0.021 * x + 0.7 * channel) + 50 * np.cos(0.033 * y - 0.3 * channel))
    frame = frame.clip(0, 255).astype(np.uint8)
    assert f"{zlib.crc32(frame.tobytes())}" in vectors()["frame_rule"]
    left, top, right, bottom = known["box"]
    face = network_face(FaceRegion(frame[top:bottom, left:right], np.zeros((68, 2), np.float32)), 256)
    for (row, column), value in known["points"]:
        np.testing.assert_allclose(face[row, column], value, atol=1)


def test_a_large_face_loses_no_fine_lines_to_chance() -> None:
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    face = network_face(FaceRegion(stripes, np.zeros((68, 2), np.float32)), 256)
    assert np.abs(face.astype(int) - 127).max() <= 1


def test_the_middle_row_is_the_bridge_of_the_nose_also_at_the_frames_edge(closed_lips: HeldPresenter) -> None:
    for presenter in (closed_lips, closed_lips.moved(0, -60), closed_lips.moved(-175, 0)):
        crops = locate_faces(presenter.tracks)
        assert crops.usable.all()
        region = crops.region(0, presenter.pictures[0])
        left, top, right, bottom = crops.boxes[0]
        assert region.pixels.shape == (bottom - top, right - left, 3)
        bridge = region.landmarks[29, 1] / len(region.pixels)
        assert bridge == pytest.approx(0.5 / (1 + CHIN_SHARE), abs=0.02)


def test_what_lies_beyond_the_frame_is_its_edge_again(closed_lips: HeldPresenter) -> None:
    away = closed_lips.moved(-175, 0)
    crops = locate_faces(away.tracks)
    beyond = -int(crops.boxes[0, 0])
    assert beyond > 5
    region = crops.region(0, away.pictures[0])
    np.testing.assert_array_equal(region.pixels[:, 0], region.pixels[:, beyond])


def test_boxes_move_less_than_the_landmarks_jitter(closed_lips: HeldPresenter) -> None:
    tracks = closed_lips.tracks
    noise = np.random.default_rng(0).normal(0, 2, tracks.landmarks.shape).astype(np.float32)
    jittery = replace(tracks, landmarks=tracks.landmarks + noise)
    raw = np.diff(face_boxes(jittery.landmarks), axis=0)
    smooth = np.diff(locate_faces(jittery).boxes, axis=0)
    assert np.abs(smooth).mean() < 0.6 * np.abs(raw).mean()


def test_a_face_that_is_mostly_outside_is_left_alone(closed_lips: HeldPresenter) -> None:
    for away in (closed_lips.moved(2000, 0), closed_lips.without_face(*range(12))):
        assert not locate_faces(away.tracks).usable.any()
