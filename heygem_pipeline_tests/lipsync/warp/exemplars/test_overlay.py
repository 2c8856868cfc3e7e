"""A found mouth laid over a face."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.lipsync.contract.material import HeldPresenter, Picture
from heygem_pipeline.lipsync.warp.analysis.calibration import calibrate
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.analysis.visible_teeth import default_teeth
from heygem_pipeline.lipsync.warp.articulation.lip_model import interpolate_contours
from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline.lipsync.warp.exemplars.collection import Exemplar, ExemplarSet, collect_exemplars
from heygem_pipeline.lipsync.warp.exemplars.overlay import chin_reach, corner_reach, overlay_exemplars

SKIN, LIP = np.array([120, 140, 190], np.float32), np.array([85, 90, 160], np.float32)
LIGHT = FaceLighting(SKIN, LIP, np.float32(0.3) * LIP, default_teeth(SKIN, 0.09), 0.006)


@pytest.fixture(scope="module")
def kept(speaker: HeldPresenter) -> ExemplarSet:
    found = collect_exemplars(speaker.sequence.frames, speaker.tracks, calibrate(speaker.tracks))
    assert found is not None
    return found


def laid_on(speaker: HeldPresenter, frame: int, lines: Exemplar, shown: Exemplar, strength: float = 1.0) -> Picture:
    """A frame with the lips of ``lines`` wanted and a mouth shown."""
    picture, head = speaker.pictures[frame].copy(), speaker.tracks.head_frame(frame)
    overlay_exemplars(picture, head, lines.contours, lines.contours, [(shown, 1.0)], [], strength, LIGHT)
    return picture


def around_lips(speaker: HeldPresenter, frame: int, reach: float) -> NDArray[np.bool_]:
    """Pixels within a distance, IOD, of the box around the lips."""
    points = speaker.tracks.landmarks[frame, 48:60]
    eyes = 1 / speaker.tracks.head_frame(frame).scale
    (left, top), (right, bottom) = points.min(axis=0) - reach * eyes, points.max(axis=0) + reach * eyes
    rows, columns = np.mgrid[: speaker.pictures[frame].shape[0], : speaker.pictures[frame].shape[1]]
    return (columns >= left) & (columns <= right) & (rows >= top) & (rows <= bottom)


def test_a_frames_own_mouth_laid_where_it_is_changes_nothing_to_speak_of(
    speaker: HeldPresenter, kept: ExemplarSet
) -> None:
    frame = 6
    finished = laid_on(speaker, frame, kept.mouths[frame], kept.mouths[frame])
    change = np.abs(finished.astype(int) - speaker.pictures[frame])
    assert change[around_lips(speaker, frame, 0.0)].mean() < 2.5


def test_a_closed_mouth_covers_an_open_one(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    opened, closed = kept.mouths[6], kept.mouths[0]
    lips = around_lips(speaker, 6, 0.0)
    finished = laid_on(speaker, 6, closed, closed).astype(int)
    assert finished[lips].mean() > speaker.pictures[6][lips].mean() + 3
    assert opened.contours.gap > closed.contours.gap + 0.05


def test_closed_lips_that_part_show_a_dark_gap(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    closed, parted = kept.mouths[0], kept.mouths[6].contours
    assert parted.gap > 0.05
    picture, head = speaker.pictures[0].copy(), speaker.tracks.head_frame(0)
    overlay_exemplars(picture, head, parted, parted, [], [(closed, 1.0)], 1.0, LIGHT)
    middle = (parted.upper_inner[8] + parted.lower_inner[8]) / 2
    (column, row), (_, lip) = head.to_pixels(np.stack([middle, parted.lower_inner[8] + (0, 0.04)])).round().astype(int)
    assert picture[row, column].mean() < 0.6 * picture[lip, column].mean()


def test_no_closed_lip_is_seen_through_an_open_mouth(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    closed, opened = kept.mouths[0], kept.mouths[6]
    plain, head = laid_on(speaker, 6, opened, opened).astype(int), speaker.tracks.head_frame(6)
    fading = speaker.pictures[6].copy()
    overlay_exemplars(fading, head, opened.contours, opened.contours, [(opened, 0.5)], [(closed, 0.5)], 1.0, LIGHT)
    upper, lower = opened.contours.upper_inner[8], opened.contours.lower_inner[8]
    places = np.array([[0.3], [0.5], [0.7]])
    inside = head.to_pixels(upper + places * (lower - upper)).round().astype(int)
    change = np.abs(fading.astype(int) - plain)[inside[:, 1], inside[:, 0]]
    assert change.mean() < 6


def inside(speaker: HeldPresenter, frame: int, lines: MouthContours) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of places in the middle of an opening, from above to below."""
    upper, lower = lines.upper_inner[8], lines.lower_inner[8]
    places = np.array([[0.3], [0.5], [0.7]])
    found = speaker.tracks.head_frame(frame).to_pixels(upper + places * (lower - upper)).round().astype(int)
    return found[:, 1], found[:, 0]


def test_one_mouths_teeth_are_not_seen_through_anothers(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    mouth, head = kept.mouths[6], speaker.tracks.head_frame(6)
    white = replace(mouth, picture=np.full_like(mouth.picture, 250))
    place, lines = inside(speaker, 6, mouth.contours), mouth.contours
    fading = speaker.pictures[6].copy()
    overlay_exemplars(fading, head, lines, lines, [(white, 0.4), (mouth, 0.6)], [], 1.0, LIGHT)
    over = speaker.pictures[6].copy()
    overlay_exemplars(over, head, lines, lines, [(white, 0.6), (mouth, 0.4)], [], 1.0, LIGHT)
    own = laid_on(speaker, 6, mouth, mouth)[place].mean(axis=1)
    # The light that both share is taken from both.
    assert (fading[place].mean(axis=1) <= own + 3).all()
    assert (over[place].mean(axis=1) > own + 60).all()


def test_a_small_opening_shows_the_dark_and_no_strip_of_a_wide_mouths_teeth(
    speaker: HeldPresenter, kept: ExemplarSet
) -> None:
    wide = kept.mouths[6]
    toothed = replace(wide, picture=np.full_like(wide.picture, 230))
    small = interpolate_contours(kept.mouths[0].contours, wide.contours, 0.045 / wide.contours.gap)
    assert 0.03 < small.gap < 0.06
    middle = slice(1, 2)
    rows, columns = (axis[middle] for axis in inside(speaker, 0, small))
    seen = []
    for shown in (toothed, replace(toothed, seen_gap=small.gap)):
        picture = speaker.pictures[0].copy()
        overlay_exemplars(picture, speaker.tracks.head_frame(0), small, small, [(shown, 1.0)], [], 1.0, LIGHT)
        seen.append(float(picture[rows, columns].mean()))
    assert seen[0] < 0.6 * LIP.mean()
    assert seen[1] > 1.5 * seen[0]


def test_the_corners_of_a_mouth_that_was_wider_are_covered(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    mouth, head = kept.mouths[0], speaker.tracks.head_frame(6)
    spot = mouth.contours.upper_outer[-1] + (0.14, 0.0)
    face = speaker.pictures[6].copy()
    column, row = head.to_pixels(spot).round().astype(int)
    face[row - 2 : row + 3, column - 2 : column + 3] = 0
    seen = []
    for beside in (0.0, 0.25):
        finished = face.copy()
        overlay_exemplars(finished, head, mouth.contours, mouth.contours, [(mouth, 1.0)], [], 1.0, LIGHT, beside=beside)
        seen.append(float(finished[row, column].mean()))
    assert seen[1] > seen[0] + 40


def test_the_further_corners_are_carried_the_further_they_are_covered(kept: ExemplarSet) -> None:
    lines = kept.mouths[6].contours
    left, right = lines.upper_outer[[0, -1], 0]
    wider = replace(lines, upper_outer=lines.upper_outer * np.array([1.2, 1.0]))
    assert corner_reach(lines, lines) < corner_reach(wider, lines)
    assert corner_reach(wider, lines) > 0.1 * (right - left)


def test_nothing_changes_away_from_the_lips(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    finished = laid_on(speaker, 6, kept.mouths[6], kept.mouths[0])
    far = ~around_lips(speaker, 6, 0.15)
    np.testing.assert_array_equal(finished[far], speaker.pictures[6][far])


def test_a_chin_is_covered_where_it_is_asked_for(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    mouth, head = kept.mouths[0], speaker.tracks.head_frame(6)
    mole = mouth.contours.lower_outer[7] + (0, 0.22)
    picture = mouth.picture.copy()
    column, row = mouth.head.to_pixels(mole).round().astype(int)
    picture[row - 2 : row + 3, column - 2 : column + 3] = 0
    marked = replace(mouth, picture=picture)
    column, row = head.to_pixels(mole).round().astype(int)
    seen = []
    for below in (0.0, 0.4):
        finished = speaker.pictures[6].copy()
        overlay_exemplars(finished, head, mouth.contours, mouth.contours, [], [(marked, 1.0)], 1.0, LIGHT, below)
        seen.append(float(finished[row, column].mean()))
    assert seen[1] < 0.4 * seen[0]


def test_the_further_a_lip_is_carried_the_further_its_chin_comes_along(kept: ExemplarSet) -> None:
    shut, wide = kept.mouths[0].contours, kept.mouths[6].contours
    chin = float(wide.lower_outer[:, 1].max()) + 0.4
    assert chin_reach(shut, shut, chin) == 0
    assert 0.2 < chin_reach(wide, shut, chin) < chin - shut.lower_outer[:, 1].max()


def test_light_changes_more_than_its_hue(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    mouth = kept.mouths[6]
    blue = replace(mouth, picture=(mouth.picture * np.array([1.0, 0.7, 0.7])).astype(np.uint8))
    lips = around_lips(speaker, 6, 0.0)
    plain, relit = (laid_on(speaker, 6, mouth, shown)[lips].reshape(-1, 3).mean(axis=0) for shown in (mouth, blue))
    assert relit[0] / relit[2] > 1.1 * plain[0] / plain[2]
    assert relit.mean() == pytest.approx(plain.mean(), rel=0.05)


def test_a_mouth_from_darker_frames_takes_the_faces_light(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    mouth = kept.mouths[6]
    dark = replace(mouth, picture=(mouth.picture * 0.75).astype(np.uint8))
    lips = around_lips(speaker, 6, 0.0)
    plain, relit = laid_on(speaker, 6, mouth, mouth), laid_on(speaker, 6, mouth, dark)
    assert abs(float(relit[lips].mean()) - float(plain[lips].mean())) < 4


def test_half_a_strength_is_half_a_change(speaker: HeldPresenter, kept: ExemplarSet) -> None:
    plain = speaker.pictures[6].astype(int)
    finished = laid_on(speaker, 6, kept.mouths[0], kept.mouths[0]).astype(int)
    half = laid_on(speaker, 6, kept.mouths[0], kept.mouths[0], 0.5).astype(int)
    unclipped = (finished > 0) & (finished < 255)
    np.testing.assert_allclose(half[unclipped], (plain + finished)[unclipped] / 2, atol=1.01)
    assert np.abs(finished - plain).max() > 20


@pytest.mark.parametrize(("right", "down"), [(-200, 0), (230, 0), (0, 230), (5000, 0)])
def test_a_mouth_at_the_edge_of_the_picture_is_laid_within_it(
    speaker: HeldPresenter, kept: ExemplarSet, right: int, down: int
) -> None:
    shown = speaker.moved(right, down)
    picture, head = shown.pictures[6].copy(), shown.tracks.head_frame(6)
    wide, closed = kept.mouths[6].contours, kept.mouths[0]
    overlay_exemplars(picture, head, wide, wide, [(closed, 1.0)], [], 1.0, LIGHT)
    assert picture.shape == shown.pictures[6].shape
