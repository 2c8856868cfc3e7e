"""The drawn lower face sits in the picture without an edge, in its colours, and touches nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.lower_face.blending import (
    FACE_SIDE,
    FaceRegion,
    blend_face,
    colour_correction,
    lower_face_mask,
    sharpness,
)
from heygem_pipeline.lipsync.lower_face.face_boxes import locate_faces
from heygem_pipeline_tests.lipsync.lower_face.painted_faces import open_mouthed, tinted

Picture = NDArray[np.uint8]


@pytest.fixture(params=["closed_lips", "smile"])
def place(request: pytest.FixtureRequest) -> FaceRegion:
    presenter: HeldPresenter = request.getfixturevalue(request.param)
    return place_of(presenter)


def place_of(presenter: HeldPresenter) -> FaceRegion:
    face_boxes = locate_faces(presenter.tracks)
    left, top, right, bottom = face_boxes.boxes[0]
    return FaceRegion(presenter.pictures[0][top:bottom, left:right].copy(), face_boxes.landmarks[0] - (left, top))


def blended(place: FaceRegion, drawn: NDArray[np.float32], strength: float = 1.0, sharpening: float = 0.0) -> Picture:
    laid = blend_face(place, drawn, strength, sharpening)
    assert laid is not None
    left, top, pixels = laid
    finished = place.pixels.copy()
    finished[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return finished


class Drawing:
    """What the stand-in drawings read."""

    def __init__(self, place: FaceRegion) -> None:
        self.face = place.network_face


def change(place: FaceRegion, finished: Picture) -> NDArray[np.int64]:
    return finished.astype(np.int64) - place.pixels


def under_the_mask(place: FaceRegion) -> NDArray[np.float32]:
    """The mask at the size of the region."""
    import cv2

    height, width = place.pixels.shape[:2]
    return np.asarray(cv2.resize(lower_face_mask(place.network_landmarks), (width, height)), np.float32)


def test_the_mask_covers_the_lips_and_chin_and_spares_nose_and_eyes(place: FaceRegion) -> None:
    mask, points = lower_face_mask(place.network_landmarks), np.rint(place.network_landmarks).astype(int)

    def at(indices: range | list[int]) -> NDArray[np.float32]:
        return mask[points[indices, 1].clip(0, FACE_SIDE - 1), points[indices, 0].clip(0, FACE_SIDE - 1)]

    assert at(range(60, 68)).min() == 1
    assert at(range(48, 60)).min() > 0.9
    assert at([8]).min() > 0.1
    assert at([30, *range(36, 48)]).max() == 0
    assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) == 0


def test_pixels_outside_the_mask_are_the_presenters_bit_for_bit(place: FaceRegion) -> None:
    noise = np.random.default_rng(0).uniform(0, 255, (FACE_SIDE, FACE_SIDE, 3)).astype(np.float32)
    outside = under_the_mask(place) == 0
    assert outside.mean() > 0.4
    assert not change(place, blended(place, noise))[outside].any()


def test_wrong_colours_do_not_show(place: FaceRegion) -> None:
    tint = tinted(Drawing(place))  # pyright: ignore[reportArgumentType]
    wrong = np.abs(tint - place.network_face).mean(axis=(0, 1))
    remaining = change(place, blended(place, tint))[under_the_mask(place) > 0.02].mean(axis=0)
    assert wrong.min() > 15
    assert np.abs(remaining).mean() < 0.2 * wrong.mean()


def test_light_from_one_side_is_matched_on_either_side(place: FaceRegion) -> None:
    ramp = np.linspace(-40, 40, FACE_SIDE)[None, :, None]
    drawn = (place.network_face + ramp).astype(np.float32)
    mask = lower_face_mask(place.network_landmarks)
    shift = colour_correction(place.network_face, drawn, mask)
    error = (shift + ramp)[mask > 0]
    assert np.abs(error).mean() < 5


@pytest.mark.parametrize("draw", [tinted, open_mouthed])
def test_no_edge_can_be_seen(place: FaceRegion, draw: Callable[..., NDArray[np.float32]]) -> None:
    drawn = draw(Drawing(place))
    finished = blended(place, drawn)
    difference = change(place, finished).astype(float)
    mask = under_the_mask(place)
    rim = (mask > 0) & (mask < 0.15)
    # What a hard paste would leave at the same place.
    hard = np.abs(tinted(Drawing(place)) - place.network_face).mean()  # pyright: ignore[reportArgumentType]
    steps = np.maximum(np.abs(np.gradient(difference, axis=0)), np.abs(np.gradient(difference, axis=1)))
    assert steps[rim].mean() < 1
    assert np.abs(difference[rim]).mean() < 0.1 * hard
    borders = [difference[0], difference[-1], difference[:, 0], difference[:, -1]]
    assert max(np.abs(border).max() for border in borders) == 0


def test_the_drawn_mouth_is_seen_whole(place: FaceRegion) -> None:
    drawn = place.network_face.astype(np.float32)
    x, y = np.rint(place.network_landmarks[60:68].mean(axis=0)).astype(int)
    drawn[y - 4 : y + 5, x - 8 : x + 9] = (20, 10, 60)
    finished = blended(place, drawn)
    x, y = np.rint(place.landmarks[60:68].mean(axis=0)).astype(int)
    np.testing.assert_allclose(finished[y, x], (20, 10, 60), atol=25)


def test_strength_fades_to_the_presenters_own_pixels(place: FaceRegion) -> None:
    drawn = open_mouthed(Drawing(place))  # pyright: ignore[reportArgumentType]
    assert blend_face(place, drawn, 0.0, 0.0) is None
    faint, half, full = (np.abs(change(place, blended(place, drawn, strength))).mean() for strength in (0.01, 0.5, 1))
    assert faint < 0.1 * full
    assert half == pytest.approx(full / 2, rel=0.1)


def test_sharpening_brings_the_mouth_to_the_presenters_sharpness(place: FaceRegion) -> None:
    import cv2

    soft = np.asarray(cv2.GaussianBlur(place.network_face.astype(np.float32), (0, 0), 0.4), np.float32)
    mask, enlargement = under_the_mask(place)[..., None], place.pixels.shape[1] / FACE_SIDE

    def sharp(picture: Picture) -> float:
        return sharpness(picture.astype(np.float32), mask, enlargement)

    own = sharp(place.pixels)
    plain, half, full = (sharp(blended(place, soft, sharpening=share)) for share in (0.0, 0.5, 1.0))
    assert plain < 0.8 * own
    assert plain < half < full
    assert full == pytest.approx(own, rel=0.15)


def test_what_is_sharp_enough_is_left_as_it_is(place: FaceRegion) -> None:
    noise = (
        (place.network_face + np.random.default_rng(0).normal(0, 40, place.network_face.shape))
        .clip(0, 255)
        .astype(np.float32)
    )
    np.testing.assert_array_equal(blended(place, noise), blended(place, noise, sharpening=1.0))
