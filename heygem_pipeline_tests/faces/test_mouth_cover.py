from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.faces.fitness import fitness_warnings
from heygem_pipeline.faces.mesh_tracker import MeshTracker
from heygem_pipeline.faces.mouth_cover import NOTHING_BEFORE, colours_of_skin, mouth_cover, skin_of_face
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.settings import DEFAULTS
from heygem_pipeline_tests.conftest import swaying_presenter

Frame = NDArray[np.uint8]

RATE = Fraction(25)
JAW = slice(0, 17)
BRIDGE = 28
"""Of the nose, in iBUG's order."""


def tracked(frames: list[Frame]) -> FaceTracks:
    return complete_tracks(MeshTracker().track(frames, RATE), RATE, (frames[0].shape[1], frames[0].shape[0]))


@pytest.fixture(scope="module")
def bare() -> tuple[list[Frame], FaceTracks]:
    frames = swaying_presenter(40)
    return frames, tracked(frames)


def with_mask(frame: Frame, landmarks: NDArray[np.float32], colour: tuple[int, int, int]) -> Frame:
    import cv2

    outline = np.concatenate([landmarks[JAW], landmarks[BRIDGE][None]])
    return cv2.fillConvexPoly(frame.copy(), cv2.convexHull(np.rint(outline).astype(np.int32)), colour).astype(np.uint8)


def with_fingers(frame: Frame, landmarks: NDArray[np.float32]) -> Frame:
    """Four fingers across the mouth, in the colour of the cheek."""
    import cv2

    cheek = np.rint((landmarks[2] + landmarks[31]) / 2).astype(int)
    skin = frame[cheek[1] - 3 : cheek[1] + 4, cheek[0] - 3 : cheek[0] + 4].reshape(-1, 3).mean(axis=0)
    wide = float(np.hypot(*(landmarks[45] - landmarks[36])))
    middle = landmarks[48:68].mean(axis=0)
    covered = frame.copy()
    for finger in range(4):
        place = np.rint(middle + np.array([0.2, (finger - 1.5) * 0.17]) * wide).astype(int).tolist()
        size = [round(0.9 * wide), round(0.1 * wide)]
        cv2.ellipse(covered, place, size, 0, 0, 360, (skin * (0.9 + 0.05 * (finger % 2))).tolist(), -1)
    return covered


def test_of_a_bare_face_nothing_is_said(bare: tuple[list[Frame], FaceTracks]) -> None:
    assert bare[1].cover == NOTHING_BEFORE
    assert [warning.code for warning in fitness_warnings(bare[1], DEFAULTS)] == ["picture.small"]


@pytest.mark.parametrize("colour", [(215, 190, 150), (235, 235, 235), (35, 35, 35)], ids=["blue", "white", "black"])
def test_a_mask_is_warned_of(bare: tuple[list[Frame], FaceTracks], colour: tuple[int, int, int]) -> None:
    frames, tracks = bare
    masked = tracked([with_mask(*each, colour) for each in zip(frames[:10], tracks.landmarks, strict=False)])
    assert masked.present.all(), "the mesh draws lips on it"
    assert masked.cover.masked
    assert "face.masked" in [warning.code for warning in fitness_warnings(masked, DEFAULTS)]


def test_a_hand_is_warned_of_with_the_time_it_is_there(bare: tuple[list[Frame], FaceTracks]) -> None:
    frames, tracks = bare
    covered = list(frames)
    for index in range(12, 30):
        covered[index] = with_fingers(frames[index], tracks.landmarks[index])
    cover = tracked(covered).cover
    assert not cover.masked and cover.seconds == pytest.approx(18 / 25, abs=0.09)
    assert "for 0.7 s" in str(fitness_warnings(replace(tracks, cover=cover), DEFAULTS)[-1])


def made_up(redness: list[float], tint: float = 5.0) -> NDArray[np.float32]:
    """Colours of lips that are so much redder than the skin around them, which differs so far from the forehead."""
    colours = np.full((len(redness), 3, 2), 10.0, np.float32)
    colours[:, 1, 1] += tint
    colours[:, 0, 0] += redness
    return colours


@pytest.mark.parametrize(
    ("redness", "tint"),
    [
        ([10.0] * 20 + [2.0] * 8 + [10.0] * 20, 5.0),
        ([10.0] * 20 + [4.0] * 30 + [10.0] * 20, 5.0),
        ([3.0] * 20 + [0.0] * 30 + [3.0] * 20, 5.0),
        ([0.0] * 70, 5.0),
        ([0.0] * 70, 15.0),
        ([10.0] * 70, 20.0),
    ],
    ids=["a moment", "pressed lips", "pale lips", "lips like skin", "a red beard", "red light from below"],
)
def test_what_is_no_cover_is_not_taken_for_one(redness: list[float], tint: float) -> None:
    assert mouth_cover(made_up(redness, tint), np.zeros(len(redness)), RATE) == NOTHING_BEFORE


def test_turned_faces_and_frames_without_one_say_nothing() -> None:
    colours = made_up([10.0] * 20 + [0.0] * 30 + [10.0] * 20)
    yaw = np.zeros(70)
    assert mouth_cover(colours, yaw, RATE).seconds == pytest.approx(30 / 25)
    yaw[20:50] = 50
    assert mouth_cover(colours, yaw, RATE) == NOTHING_BEFORE
    assert mouth_cover(np.full((70, 3, 2), np.nan, np.float32), yaw, RATE) == NOTHING_BEFORE


def test_a_face_at_the_edge_of_the_picture_is_looked_at(bare: tuple[list[Frame], FaceTracks]) -> None:
    points = np.full((478, 2), [-50, 10_000])
    assert np.isfinite(colours_of_skin(skin_of_face(bare[0][0], points))).all()
