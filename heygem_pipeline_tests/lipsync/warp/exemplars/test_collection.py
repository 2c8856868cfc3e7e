"""Which mouths of a presenter are kept."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.lipsync.contract.material import HeldPresenter, Picture
from heygem_pipeline.lipsync.warp.analysis.calibration import calibrate
from heygem_pipeline.lipsync.warp.exemplars import collection
from heygem_pipeline.lipsync.warp.exemplars.collection import collect_exemplars, select_exemplar_frames


def collected(presenter: HeldPresenter) -> collection.ExemplarSet | None:
    return collect_exemplars(presenter.sequence.frames, presenter.tracks, calibrate(presenter.tracks))


def test_every_mouth_of_a_short_presenter_that_speaks_is_kept(speaker: HeldPresenter) -> None:
    kept = collected(speaker)
    assert kept is not None
    np.testing.assert_array_equal(kept.frames, np.arange(len(speaker.pictures)))
    assert kept.follows[1:].all()


@pytest.mark.parametrize("name", ["closed_lips", "smile"])
def test_one_mouth_that_stays_is_not_worth_keeping(name: str, request: pytest.FixtureRequest) -> None:
    presenter: HeldPresenter = request.getfixturevalue(name)

    def never(_: object) -> list[Picture]:
        raise AssertionError("the frames are not to be read")

    assert collect_exemplars(never, presenter.tracks, calibrate(presenter.tracks)) is None


def test_of_one_who_does_not_speak_but_yawns_closed_mouths_are_kept(yawner: HeldPresenter) -> None:
    kept = collected(yawner)
    assert kept is not None
    assert not kept.speaks
    assert kept.closed.all()
    assert 5 < len(kept.mouths) <= collection.MOST_CLOSED


def test_they_are_taken_from_its_beginning(yawner: HeldPresenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "CLOSED_SECONDS", 0.4)
    kept = collected(yawner)
    assert kept is not None
    assert kept.frames.max() < 10


def test_of_frames_whose_mouths_are_not_kept_nothing_is_wanted(
    speaker: HeldPresenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "MOST_EXEMPLARS", 20)
    areas = np.tile([10, 20, 90, 80], (len(speaker.pictures), 1))
    asked: list[NDArray[np.integer]] = []

    def frames(wanted: NDArray[np.integer] | None) -> list[Picture]:
        assert wanted is not None
        asked.append(wanted)
        return list(speaker.pictures)

    kept = collect_exemplars(frames, speaker.tracks, calibrate(speaker.tracks), areas=areas)
    assert kept is not None
    (wanted,) = asked
    looked_at = np.flatnonzero(wanted.any(axis=1))
    np.testing.assert_array_equal(wanted[looked_at], areas[looked_at])
    assert set(kept.frames) <= set(looked_at)
    assert len(looked_at) <= 20 < len(areas)


def test_a_kept_mouth_lies_where_it_lay_in_its_frame(speaker: HeldPresenter) -> None:
    kept = collected(speaker)
    assert kept is not None
    for mouth in kept.mouths[::7]:
        corner = speaker.tracks.head_frame(mouth.frame).to_pixels(mouth.head.origin).round().astype(int)
        rows, columns = mouth.picture.shape[:2]
        frame = speaker.pictures[mouth.frame][corner[1] : corner[1] + rows, corner[0] : corner[0] + columns]
        np.testing.assert_array_equal(mouth.picture, frame)


def test_a_mouth_that_leaves_the_frame_is_not_kept(speaker: HeldPresenter) -> None:
    assert collected(speaker.moved(0, 300)) is None


def test_few_mouths_of_a_long_presenter_are_kept_the_most_open_and_a_closed_one_among_them(
    speaker: HeldPresenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "MOST_EXEMPLARS", 16)
    monkeypatch.setattr(collection, "RUN_SECONDS", 0.12)
    calibration = calibrate(speaker.tracks)
    chosen = select_exemplar_frames(speaker.tracks, calibration)
    assert 8 <= chosen.sum() <= 16
    heights = calibration.landmarks[:, 66, 1] - calibration.landmarks[:, 62, 1]
    span = np.ptp(heights)
    assert heights[chosen].max() > heights.max() - 0.1 * span
    assert heights[chosen].min() < heights.min() + 0.1 * span


def test_large_faces_are_kept_in_fewer_mouths(speaker: HeldPresenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "MOST_BYTES", 400_000)
    kept = collected(speaker)
    assert kept is not None
    assert sum(mouth.picture.nbytes for mouth in kept.mouths) < 600_000


def test_frames_without_a_face_or_not_allowed_are_left_out(speaker: HeldPresenter) -> None:
    allowed = np.arange(len(speaker.pictures)) >= 6
    tracks = speaker.without_face(10, 11).tracks
    chosen = select_exemplar_frames(tracks, calibrate(tracks), allowed)
    assert not chosen[:6].any()
    assert not chosen[[10, 11]].any()
    assert chosen[[6, 9, 12]].all()


def test_no_mouth_follows_one_of_another_shot(speaker: HeldPresenter) -> None:
    kept = collected(HeldPresenter(speaker.pictures, replace(speaker.tracks, cuts=(18,))))
    assert kept is not None
    assert not kept.follows[18]
    assert set(kept.shots) == {0, 1}


def test_what_an_opening_shows_is_the_less_clear_the_softer_the_picture(speaker: HeldPresenter) -> None:
    import cv2

    soft = tuple(np.asarray(cv2.GaussianBlur(picture, (0, 0), 2.0), np.uint8) for picture in speaker.pictures)
    sharp, blurred = collected(speaker), collected(replace(speaker, pictures=soft))
    assert sharp is not None
    assert blurred is not None
    assert blurred.mouths[6].clearness < 0.6 * sharp.mouths[6].clearness
    assert sharp.mouths[0].clearness == 0


def test_lips_on_their_way_are_told_from_lips_at_rest(speaker: HeldPresenter) -> None:
    kept = collected(speaker)
    assert kept is not None
    # Closed in frame 12, wide in frame 18.
    assert kept.unrest[15] > 2 * kept.unrest[12]


def test_a_broad_dark_line_between_lips_is_soot(speaker: HeldPresenter) -> None:
    kept = collected(speaker)
    assert kept is not None
    lines = kept.mouths[0].contours
    middle = speaker.tracks.head_frame(0).to_pixels((lines.upper_inner + lines.lower_inner) / 2).round().astype(int)
    dark = speaker.pictures[0].copy()
    for column, row in middle[3:14]:
        dark[row - 1 : row + 1, column - 3 : column + 4] = 20
    sooty = collected(replace(speaker, pictures=(dark, *speaker.pictures[1:])))
    assert sooty is not None
    assert sooty.mouths[0].soot > kept.mouths[0].soot + 0.1
