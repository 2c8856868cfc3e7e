"""Colours are brought back by what does not move, whatever the mouth does."""

import numpy as np
import pytest

from heygem_pipeline.lipsync.contract.material import HeldPresenter, Picture
from heygem_pipeline.lipsync.program.colour_match import ComparedPicture, match_colours, with_colours


def tinted(picture: Picture, gains: list[float], offsets: list[float]) -> Picture:
    return (picture * np.array(gains) + offsets).clip(0, 255).round().astype(np.uint8)


@pytest.mark.parametrize(("gains", "offsets"), [([0.8, 1, 1.15], [10, 2, -6]), ([0.86, 0.86, 0.86], [16, 16, 16])])
def test_a_tint_is_undone_in_colours_of_the_mouth_too(
    closed_lips: HeldPresenter, gains: list[float], offsets: list[float]
) -> None:
    own = closed_lips.pictures[0]
    returned = tinted(own, gains, offsets)
    x, y = closed_lips.tracks.landmarks[0, 48:60].mean(axis=0).astype(int)
    returned[y - 20 : y + 20, x - 30 : x + 30] = (20, 10, 60)
    colours = match_colours([ComparedPicture(own, returned, np.ones(own.shape[:2], bool))])
    lips = np.array([[[60, 70, 150], [15, 10, 25], [200, 205, 210]]], np.uint8)
    np.testing.assert_allclose(with_colours(tinted(lips, gains, offsets), colours), lips, atol=6)


def test_the_same_colours_stay_and_what_is_cut_off_has_no_say(closed_lips: HeldPresenter) -> None:
    own = closed_lips.pictures[0]
    returned, valid = own.copy(), np.ones(own.shape[:2], bool)
    returned[:, :200], valid[:, :200] = 0, False
    colours = match_colours([ComparedPicture(own, returned, valid)])
    np.testing.assert_allclose(with_colours(own, colours), own, atol=1)
