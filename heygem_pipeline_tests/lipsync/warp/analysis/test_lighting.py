"""Reading a face's colours around the mouth."""

from dataclasses import replace

import numpy as np

from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting, measure_lighting, update_lighting
from heygem_pipeline.lipsync.warp.analysis.visible_teeth import luma
from heygem_pipeline_tests.lipsync.warp.analysis.test_lip_edges import (
    DARK,
    HEAD,
    LIP,
    SKIN,
    TOOTH,
    drawn,
    edges_of_frame,
    predicted,
)


def light_of(picture: np.ndarray, gap: float) -> FaceLighting:
    """Of a drawn mouth whose landmarks are that far apart."""
    contours = predicted(gap)
    return measure_lighting(picture, HEAD, contours, edges_of_frame(picture, HEAD, contours))


CLOSED = drawn((0.99, 1.01, DARK))
BARED = drawn((0.93, 1.07, TOOTH), (1.055, 1.07, DARK))


def test_skin_and_lips_have_the_colours_they_are_drawn_in() -> None:
    light = light_of(CLOSED, 0.0)
    np.testing.assert_allclose(light.skin, SKIN, atol=2)
    np.testing.assert_allclose(light.lip, LIP, atol=2)


def test_closed_lips_tell_their_crease_and_no_teeth() -> None:
    light = light_of(CLOSED, 0.0)
    assert luma(light.crease) < 0.36 * luma(light.skin) + 1
    assert light.teeth.colour_seen == 0
    assert light.teeth.amount_seen == 0


def test_teeth_that_show_are_read() -> None:
    light = light_of(BARED, 0.14)
    assert light.teeth.colour_seen > 0.5
    np.testing.assert_allclose(light.enamel, np.array(TOOTH) * min(1, 214 / luma(np.array(TOOTH))), atol=10)


def test_parted_lips_have_the_darkest_of_the_opening_as_their_crease() -> None:
    assert luma(light_of(BARED, 0.14).crease) < luma(np.array(LIP)) * 0.45


def test_a_tongue_or_a_pale_lip_is_no_tooth() -> None:
    assert light_of(drawn((0.93, 1.07, (140, 150, 215))), 0.14).teeth.colour_seen == 0


def test_teeth_once_seen_are_not_forgotten() -> None:
    shown, closed = light_of(BARED, 0.14), light_of(CLOSED, 0.0)
    light = shown
    for _ in range(100):
        light = update_lighting(light, closed)
    np.testing.assert_array_equal(light.teeth.colour, shown.teeth.colour)
    assert light.teeth.upper == shown.teeth.upper
    np.testing.assert_allclose(light.crease, closed.crease, atol=1)


def test_light_follows_slowly() -> None:
    here = light_of(CLOSED, 0.0)
    there = replace(here, skin=here.skin / 2, blur=here.blur + 0.01)
    step = update_lighting(here, there)
    assert 0.9 * here.skin[0] < step.skin[0] < here.skin[0]
    assert here.blur < step.blur < here.blur + 0.002


def test_of_several_frames_those_with_teeth_tell_their_colour() -> None:
    closed, shown = light_of(CLOSED, 0.0), light_of(BARED, 0.14)
    together = FaceLighting.median([closed, closed, shown])
    np.testing.assert_array_equal(together.teeth.colour, shown.teeth.colour)
    np.testing.assert_array_equal(together.skin, closed.skin)
