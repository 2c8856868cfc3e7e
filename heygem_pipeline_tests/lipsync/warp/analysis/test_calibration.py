"""How far a presenter's mouth opens, and when it rests."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.warp.analysis.calibration import TYPICAL_OPENING, calibrate
from heygem_pipeline_tests.lipsync.warp.presenter import speech_of, with_landmarks

FRAMES = 120


def speaking_tracks(presenter: HeldPresenter, gaps: np.ndarray) -> FaceTracks:
    """Tracks of one face held still whose lower lip drops by ``gaps`` IOD."""
    tracks = presenter.tracks
    count = len(gaps)
    head = np.repeat(tracks.raw_head[:1], count, axis=0)
    iod = 1 / np.sqrt(np.linalg.det(head[0, :, :2]))
    landmarks = np.repeat(tracks.landmarks[:1], count, axis=0)
    landmarks[:, [55, 56, 57, 58, 59, 65, 66, 67], 1] += (gaps * iod).astype(np.float32)[:, None]
    return replace(
        with_landmarks(tracks, landmarks),
        frame_rate=Fraction(25),
        state=np.ones(count, np.int8),
        head=head,
        raw_head=head,
        pose=np.repeat(tracks.pose[:1], count, axis=0),
    )


def test_an_idle_mouth_opens_as_wide_as_its_width_suggests(closed_lips: HeldPresenter) -> None:
    calibration = calibrate(closed_lips.tracks)
    assert 0.8 * TYPICAL_OPENING <= calibration.opening <= 1.2 * TYPICAL_OPENING
    assert not calibration.parted.any()
    assert not calibration.rest.motion.any()


def test_a_smile_is_wide_but_not_large(smile: HeldPresenter) -> None:
    calibration = calibrate(smile.tracks)
    assert calibration.neutral_width > 0.9
    assert calibration.opening <= TYPICAL_OPENING
    np.testing.assert_allclose(calibration.parted, 1)


@pytest.mark.parametrize("wide", [0.12, 0.22])
def test_a_presenter_that_speaks_sets_its_own_amplitude(closed_lips: HeldPresenter, wide: float) -> None:
    gaps = wide * np.clip(np.sin(np.arange(FRAMES) * 0.5), 0, 1)
    calibration = calibrate(speaking_tracks(closed_lips, gaps), speech_of(FRAMES))
    assert calibration.opening == pytest.approx(np.quantile(gaps, 0.9), rel=0.2)


def test_sound_over_a_still_mouth_is_not_its_speech(closed_lips: HeldPresenter) -> None:
    still = speaking_tracks(closed_lips, np.zeros(FRAMES))
    assert calibrate(still, speech_of(FRAMES)).opening == calibrate(still).opening
