"""What the visible label leaves free."""

import numpy as np

from heygem_pipeline.clip.label_clearance import mouth_and_chin
from heygem_pipeline.settings import SyntheticLabel
from heygem_pipeline_tests.faces.shapes import made_face, made_tracks

EYES = 100
"""Pixels between the eyes."""


def test_mouth_and_chin_are_kept_clear_wherever_they_are_while_the_label_is_shown() -> None:
    still, later = made_face() * EYES + (300, 300), made_face() * EYES + (900, 300)
    tracks = made_tracks(np.array([still] * 60 + [later] * 60))
    at_first = mouth_and_chin(tracks, 120, SyntheticLabel.START)
    always = mouth_and_chin(tracks, 120, SyntheticLabel.ALWAYS)
    assert at_first is not None and always is not None
    for x, y in still[[8, 48, 54, 57]]:
        assert at_first[0] <= x <= at_first[2] and at_first[1] <= y <= at_first[3]
    assert at_first[1] > still[36:48, 1].max()
    assert at_first[2] < later[48:, 0].min() < always[2]
    assert mouth_and_chin(tracks, 120, SyntheticLabel.OFF) is None
