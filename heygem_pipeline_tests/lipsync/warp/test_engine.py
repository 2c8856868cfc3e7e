"""What the warp engine promises about whole clips."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.faces.tracker_registry import load_tracker
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.lipsync.contract.material import HeldPresenter, Picture, laid
from heygem_pipeline.lipsync.engine import LipSyncEngine
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.lipsync.warp.analysis.calibration import calibrate
from heygem_pipeline.lipsync.warp.engine import WarpEngine
from heygem_pipeline_tests.lipsync.warp.presenter import asking_for, patches
from heygem_pipeline_tests.lipsync.warp.speaker import YAWN

OPEN, SHUT = np.ones(1), np.zeros(1)


def seen_gaps(pictures: list[Picture]) -> np.ndarray:
    """Openings, IOD, that the tracker sees in finished frames."""
    height, width = pictures[0].shape[:2]
    followed = load_tracker("mesh").track(iter(pictures), Fraction(25))
    return measure_mouth(complete_tracks(followed, Fraction(25), (width, height))).gap


def test_is_the_engine_called_warp() -> None:
    engine: LipSyncEngine = load_engine("warp")
    assert isinstance(engine, WarpEngine)
    assert engine.name == "warp"


def test_the_mouth_of_a_clip_of_one_frame_opens(closed_lips: HeldPresenter) -> None:
    (patch,) = patches(asking_for(OPEN), closed_lips, 1)
    assert patch.pixels is not None


@pytest.mark.parametrize("presenter", ["closed_lips", "smile"])
def test_the_patch_has_no_visible_border(presenter: str, request: pytest.FixtureRequest) -> None:
    shown: HeldPresenter = request.getfixturevalue(presenter)
    for patch in patches(asking_for(OPEN, width=-2.0), shown, 5):
        assert patch.pixels is not None
        height, width = patch.pixels.shape[:2]
        under = shown.pictures[patch.presenter_frame]
        under = under[patch.top : patch.top + height, patch.left : patch.left + width]
        changed = (patch.pixels != under).any(axis=2)
        assert changed.any()
        frame_height, frame_width = shown.pictures[0].shape[:2]
        if patch.top > 0:
            assert not changed[0].any()
        if patch.left > 0:
            assert not changed[:, 0].any()
        if patch.top + height < frame_height:
            assert not changed[-1].any()
        if patch.left + width < frame_width:
            assert not changed[:, -1].any()


def test_the_eyes_stay_bit_for_bit_and_the_nose_stays_put(closed_lips: HeldPresenter) -> None:
    (patch,) = patches(asking_for(OPEN), closed_lips, 1)
    frame = closed_lips.pictures[0].astype(int)
    finished = laid(patch, closed_lips.pictures[0]).astype(int)
    points = closed_lips.tracks.landmarks[0]
    eyes, tip, lip = int(points[[40, 41, 46, 47], 1].max()), int(points[30, 1]), int(points[57, 1])
    across = slice(int(points[48, 0]), int(points[54, 0]))
    np.testing.assert_array_equal(finished[:eyes], frame[:eyes])
    change = np.abs(finished - frame)[:, across].mean(axis=(1, 2))
    assert change[eyes:tip].max() < 2
    assert change[tip:lip].max() > 10


@pytest.mark.parametrize("presenter", ["closed_lips", "smile"])
def test_the_finished_mouth_does_what_the_speech_asks(presenter: str, request: pytest.FixtureRequest) -> None:
    shown: HeldPresenter = request.getfixturevalue(presenter)
    asked = np.clip(0.5 - 0.7 * np.cos(np.arange(24) * 2 * np.pi / 12), 0, 1.2)
    finished = [laid(patch, shown.pictures[patch.presenter_frame]) for patch in patches(asking_for(asked), shown, 24)]
    seen = seen_gaps(finished)
    assert np.corrcoef(asked, seen)[0, 1] > 0.9
    assert np.ptp(seen) == pytest.approx(np.ptp(asked) * calibrate(shown.tracks).opening, rel=0.09)


def test_silence_closes_a_smile(smile: HeldPresenter) -> None:
    made = patches(asking_for(SHUT), smile, 12)
    finished = [laid(patch, smile.pictures[patch.presenter_frame]) for patch in made]
    assert np.median(seen_gaps(list(smile.pictures))) > 0.1
    assert np.median(seen_gaps(finished)) < 0.05


def test_frames_without_a_face_pass_through_and_motion_fades_around_them(closed_lips: HeldPresenter) -> None:
    shown = closed_lips.without_face(0, 1)
    made = patches(asking_for(OPEN), shown, 12)
    assert made[0].pixels is None
    assert made[1].pixels is None
    change = [
        np.abs(laid(patch, shown.pictures[patch.presenter_frame]).astype(int) - shown.pictures[patch.presenter_frame])
        .mean()
        .item()
        for patch in made[2:7]
    ]
    assert 0 < change[0] < 0.5 * change[-1]
    assert change == sorted(change)


def test_light_and_lips_of_one_shot_do_not_reach_into_the_next(closed_lips: HeldPresenter) -> None:
    count = len(closed_lips.pictures) // 2
    dark = tuple((picture * 0.4).astype(np.uint8) for picture in closed_lips.pictures[count:])
    cut = replace(closed_lips.tracks, cuts=(count,))
    joined = HeldPresenter(closed_lips.pictures[:count] + dark, cut)
    shots = patches(asking_for(OPEN), joined, 2 * count)
    alone = patches(asking_for(OPEN), HeldPresenter(closed_lips.pictures, cut), 2 * count)
    first, same = shots[count - 1].pixels, alone[count - 1].pixels
    assert first is not None
    assert same is not None
    np.testing.assert_array_equal(first, same)


def test_a_presenter_that_speaks_shows_its_own_mouths(speaker: HeldPresenter) -> None:
    asked = np.clip(0.5 - 0.7 * np.cos(np.arange(30) * 2 * np.pi / 15), 0, 1.2)
    made = patches(asking_for(asked), speaker, 30)
    assert np.mean([patch.own_mouth for patch in made]) > 0.5
    finished = [laid(patch, speaker.pictures[patch.presenter_frame]) for patch in made]
    assert np.corrcoef(asked, seen_gaps(finished))[0, 1] > 0.9


def test_a_closure_of_one_frame_shows_the_lips_of_a_frame_that_is_closed(speaker: HeldPresenter) -> None:
    import cv2

    opened, closed = 6, 12
    made = patches(asking_for(np.where(np.arange(13) == 6, 0.0, 1.0)), speaker, 13)
    points = speaker.tracks.landmarks[closed, 48:60]
    (left, top), (right, bottom) = points.min(axis=0).astype(int), points.max(axis=0).astype(int)
    lips = speaker.pictures[closed][top:bottom, left:right]
    finished = laid(made[opened], speaker.pictures[opened])
    around = finished[top - 10 : bottom + 10, left - 10 : right + 10]
    assert made[opened].own_mouth == 1
    # Somewhere near: the head's own small movements are kept. A mouth pressed shut reaches 0.76.
    assert cv2.matchTemplate(around, lips, cv2.TM_CCOEFF_NORMED).max() > 0.85


def test_any_other_presenter_shows_none(closed_lips: HeldPresenter, smile: HeldPresenter) -> None:
    for shown in (closed_lips, smile):
        assert not any(patch.own_mouth for patch in patches(asking_for(OPEN), shown, 4))


def lips_and_chin(presenter: HeldPresenter, frame: int) -> tuple[slice, slice]:
    """Rows and columns of the lips and what is below them, down to near the chin's tip."""
    points = presenter.tracks.landmarks[frame]
    (left, top), (right, _) = points[48:60].min(axis=0).astype(int), points[48:60].max(axis=0).astype(int)
    return slice(top, int(points[57, 1] + 0.7 * (points[8, 1] - points[57, 1]))), slice(left, right)


def test_a_mouth_that_yawns_is_closed_with_the_lips_and_chin_of_a_closed_frame(yawner: HeldPresenter) -> None:
    import cv2

    # The same frame of the photograph that nods: 12 frames, forward and back.
    closed = 22 - YAWN
    made = patches(asking_for(SHUT), yawner, YAWN + 1)
    rows, columns = lips_and_chin(yawner, closed)
    finished = laid(made[YAWN], yawner.pictures[YAWN])[rows.start - 12 : rows.stop + 12, columns]
    likeness = cv2.matchTemplate(finished, yawner.pictures[closed][rows, columns], cv2.TM_CCOEFF_NORMED).max()
    assert made[YAWN].own_mouth > 0.9
    assert not any(patch.own_mouth for patch in made[:closed])
    # A yawn pressed shut by its skin alone reaches 0.70.
    assert likeness > 0.88


def test_a_mouth_opens_from_its_closed_lips_while_the_presenter_yawns(yawner: HeldPresenter) -> None:
    asked = np.clip(0.5 - 0.7 * np.cos(np.arange(30) * 2 * np.pi / 10), 0, 1.2)
    made = patches(asking_for(asked), yawner, 30)
    finished = [laid(patch, yawner.pictures[patch.presenter_frame]) for patch in made]
    yawning = slice(YAWN - 4, YAWN + 5)
    assert np.corrcoef(asked[yawning], seen_gaps(finished)[yawning])[0, 1] > 0.9


def test_own_mouths_fade_around_frames_without_a_face(speaker: HeldPresenter) -> None:
    shown = speaker.without_face(4)
    made = patches(asking_for(SHUT), shown, 8)
    first, wide = made[5], 6
    assert 0 < first.own_mouth < 0.5
    assert first.own_mouth < made[wide].own_mouth


def test_own_mouths_are_the_same_bytes_again(speaker: HeldPresenter) -> None:
    curve = np.linspace(0, 1, 7)
    for one, other in zip(*(patches(asking_for(curve), speaker, 14) for _ in range(2)), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert one.own_mouth == other.own_mouth
