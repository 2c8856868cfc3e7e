"""Where a mouth would be without the presenter's own speech, chewing or smiling."""

import numpy as np

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.warp.analysis.calibration import calibrate
from heygem_pipeline_tests.lipsync.warp.analysis.test_calibration import FRAMES, speaking_tracks
from heygem_pipeline_tests.lipsync.warp.presenter import with_landmarks


def with_corner_at(tracks: FaceTracks, offsets: np.ndarray) -> FaceTracks:
    """The same tracks, the left corner of the mouth moved aside, in eye distances."""
    iod = 1 / np.sqrt(np.linalg.det(tracks.raw_head[0, :, :2]))
    landmarks = tracks.landmarks.copy()
    landmarks[:, [48, 49, 59, 60], 0] += (iod * offsets).astype(np.float32)[:, None]
    return with_landmarks(tracks, landmarks)


def test_a_still_mouth_is_left_exactly_as_it_is(closed_lips: HeldPresenter) -> None:
    rest = calibrate(closed_lips.tracks).rest
    assert not rest.shift.any()
    assert not rest.chin.any()


def test_a_mouth_that_opens_and_shuts_is_shut_at_rest(closed_lips: HeldPresenter) -> None:
    gaps = 0.2 * np.clip(np.sin(np.arange(FRAMES) * 0.5), 0, 1)
    calibration = calibrate(speaking_tracks(closed_lips, gaps))
    rested = calibration.landmarks[:, 48:] + calibration.rest.shift
    lower_lip = slice(17, 20)
    assert np.std(rested[10:-10, lower_lip, 1]) < 0.15 * np.std(calibration.landmarks[10:-10, 65:68, 1])


def test_quick_movements_go_and_expressions_stay(closed_lips: HeldPresenter) -> None:
    still = speaking_tracks(closed_lips, np.zeros(FRAMES))
    quick = calibrate(with_corner_at(still, 0.08 * np.sin(np.arange(FRAMES) * 1.2)))
    corner = quick.landmarks[10:-10, 48, 0]
    assert np.std(corner + quick.rest.shift[10:-10, 0, 0]) < 0.5 * np.std(corner)
    smiling = np.arange(FRAMES) >= FRAMES // 2
    lasting = calibrate(with_corner_at(still, -0.08 * smiling))
    corner = lasting.landmarks[:, 48, 0] + lasting.rest.shift[:, 0, 0]
    assert corner[5] - corner[-5] > 0.06


def test_nodding_is_not_taken_for_a_movement_of_the_mouth(closed_lips: HeldPresenter) -> None:
    still = speaking_tracks(closed_lips, np.zeros(FRAMES))
    iod = 1 / np.sqrt(np.linalg.det(still.raw_head[0, :, :2]))
    landmarks = still.landmarks.copy()
    landmarks[:, 48:, 1] += (0.08 * iod * np.sin(np.arange(FRAMES) * 0.4)).astype(np.float32)[:, None]
    assert not calibrate(with_landmarks(still, landmarks)).rest.motion.any()
