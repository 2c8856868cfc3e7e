"""How soft and grainy a picture is."""

import numpy as np
import pytest

from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.analysis.sharpness import LARGEST_BLUR, LARGEST_GRAIN, edge_blur, sample_grain
from heygem_pipeline.lipsync.warp.mouth_region import MouthRegion, locate_mouth_region
from heygem_pipeline_tests.lipsync.warp.analysis.test_lip_edges import DARK, HEAD, IOD, drawn, predicted

SHARP = drawn((0.99, 1.01, DARK))
"""Blurred by 0.8 pixels itself."""


def blurred(pixels: float) -> np.ndarray:
    import cv2

    return np.asarray(cv2.GaussianBlur(SHARP, (0, 0), float(np.sqrt(pixels**2 - 0.8**2))), np.uint8)


def test_the_blur_of_the_sharpest_edges_is_measured() -> None:
    pixels = np.array([1.0, 1.5, 2.2])
    measured = [edge_blur(blurred(deviation), HEAD, predicted(0.0)) for deviation in pixels]
    assert measured == sorted(measured)
    np.testing.assert_allclose(measured, pixels / IOD, rtol=0.4)


def test_blur_is_bounded_where_nothing_is_sharp() -> None:
    assert 0 < edge_blur(blurred(9.0), HEAD, predicted(0.0)) <= LARGEST_BLUR


def test_a_picture_without_edges_counts_as_a_little_soft() -> None:
    assert edge_blur(np.full_like(SHARP, 120), HEAD, predicted(0.0)) == pytest.approx(0.006)


def test_a_mouth_outside_the_frame_counts_as_a_little_soft() -> None:
    outside = HeadFrame(HEAD.matrix + np.array([[0, 0, 5.0], [0, 0, 5.0]]))
    assert edge_blur(SHARP, outside, predicted(0.0)) == pytest.approx(0.006)


def view_of(picture: np.ndarray) -> MouthRegion:
    return locate_mouth_region(picture, HEAD, predicted(0.1))[1]


def test_smooth_skin_has_no_grain() -> None:
    region = view_of(np.full((240, 240, 3), 120, np.uint8))
    grain = sample_grain(region)
    assert grain.shape == (*region.x.shape, 3)
    np.testing.assert_allclose(grain, 0, atol=1e-3)


def test_grain_is_the_skins_own_and_bounded() -> None:
    noise = np.random.default_rng(1).normal(120, 3, (240, 240, 3))
    grain = sample_grain(view_of(np.clip(noise, 0, 255).astype(np.uint8)))
    assert 1.5 < grain.std() < 3.5
    rough = np.random.default_rng(2).integers(0, 256, (240, 240, 3)).astype(np.uint8)
    assert np.abs(sample_grain(view_of(rough))).max() <= LARGEST_GRAIN
