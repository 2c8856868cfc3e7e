"""A recorded performance on another face."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.warp_reenactment import RecordedPerformance, recorded_performance, reenact
from heygem_pipeline.lipsync.contract.material import HeldPresenter, laid
from heygem_pipeline.lipsync.warp.analysis.calibration import calibrate
from heygem_pipeline.lipsync.warp.analysis.rest_pose import NO_OFFSET
from heygem_pipeline.lipsync.warp.articulation.lip_model import closed_contours, largest_displacement
from heygem_pipeline.lipsync.warp.contours import contours_from_lips
from heygem_pipeline_tests.lipsync.warp.test_engine import seen_gaps

AHEAD = np.zeros(2)


def performance_of(speaker: HeldPresenter, rate: int = 25) -> RecordedPerformance:
    return recorded_performance(speaker.tracks, calibrate(speaker.tracks), Fraction(rate), AHEAD)


def test_the_presenters_mouth_does_what_the_performers_does(speaker: HeldPresenter, closed_lips: HeldPresenter) -> None:
    made = list(reenact(speaker.tracks, closed_lips.sequence, closed_lips.tracks))
    assert len(made) == len(speaker.pictures)
    finished = [laid(patch, closed_lips.pictures[patch.presenter_frame]) for patch in made]
    performed = seen_gaps(list(speaker.pictures))
    assert np.corrcoef(performed, seen_gaps(finished))[0, 1] > 0.95


def test_a_performer_at_rest_leaves_the_presenter_at_rest(speaker: HeldPresenter) -> None:
    performance = performance_of(speaker)
    still = replace(
        performance,
        landmarks=np.repeat(performance.neutral[None], 3, axis=0),
        lips=np.repeat(performance.neutral_lips[None], 3, axis=0),
    )
    own = contours_from_lips(calibrate(speaker.tracks).lips[0])
    asked = still.target_for(1, own, NO_OFFSET)
    assert largest_displacement(asked.target, closed_contours(own)) < 1e-9
    assert asked.jaw == 0


def test_where_the_performer_is_unseen_the_presenter_rests(speaker: HeldPresenter) -> None:
    performance = performance_of(speaker)
    performance.landmarks[4] = np.nan
    own = contours_from_lips(performance.neutral_lips)
    assert performance.target_for(4, own, NO_OFFSET).target.gap == 0


def test_movements_are_scaled_by_the_widths_of_the_mouths_within_bounds(speaker: HeldPresenter) -> None:
    own = calibrate(speaker.tracks)
    for width, scale in ((0.5, 0.8), (1.1, 1.1), (2.0, 1.2)):
        presenter = replace(own, neutral_width=own.neutral_width * width)
        assert recorded_performance(speaker.tracks, presenter, Fraction(25), AHEAD).scale == pytest.approx(scale)


def test_a_performance_lasts_as_long_at_another_frame_rate(speaker: HeldPresenter) -> None:
    slow, quick = performance_of(speaker), performance_of(speaker, rate=50)
    assert len(quick) == 2 * len(slow)
    np.testing.assert_allclose(quick.landmarks[::2], slow.landmarks)
