"""A presenter's own mouths: pictures of its lips, teeth and tongue as it has them, each with its lines and its pose."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import HeadFrame, pixel_areas
from heygem_pipeline.faces.mouth_measure import SPEAKING_SPAN, opening_span
from heygem_pipeline.faces.temporal_smoothing import present_runs, window_length
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.analysis.calibration import CLOSED_FRAMES_SHARE, Calibration
from heygem_pipeline.lipsync.warp.analysis.observation import Observation, observe_frames
from heygem_pipeline.lipsync.warp.analysis.order_statistics import quantile
from heygem_pipeline.lipsync.warp.contours import MouthContours, contours_from_lips, shape_descriptor
from heygem_pipeline.media.frame_sequence import Boxes
from heygem_pipeline.prefetch import FRAMES_AHEAD, prefetch

MOST_EXEMPLARS = 320
"""Mouths kept of one presenter, however long it is."""

MOST_CLOSED, CLOSED_SECONDS = 40, 30.0
"""Closed mouths kept of a presenter who does not speak, and from how much of the beginning they are taken: reading on
would cost more than they are worth."""

MOST_BYTES = 64 * 2**20
"""Pixels kept of one presenter: large faces are represented by fewer mouths."""

SEARCHED_SECONDS = 180.0
"""A presenter shows in three minutes every mouth that will be wanted."""

RUN_SECONDS = 0.5
"""Mouths are kept in runs of neighbouring frames, so that they can be played as they were."""

EXEMPLAR_MARGIN, CHIN_MARGIN = 0.27, 0.5
"""IOD of skin kept around the lips, and below them: down to the chin."""

FEWEST_OPEN_SECONDS = 0.5
"""A presenter whose lips part for less than this holds no mouths worth showing."""

FEWEST_MOVED_SECONDS, MOVED_GAP, USUAL_GAP = 0.08, 0.06, 0.045
"""How long the lips of one who does not speak must part by themselves, how far beyond the nearest ones (IOD), and how
near they must be in half of the frames, for closed mouths to be kept that stand in for them: who smiles all the time
has none that fit."""

CLOSED_SEEN_GAP, CLOSED_LANDMARK_GAP = 0.015, 0.03
"""IOD: lips are closed that are seen no further apart than the first, and whose landmarks lie no further apart than the
presenter's nearest ones and the second: colour alone takes even teeth for a lip, landmarks alone bridge small openings.
All that were looked at of 25 people were closed."""

CLEAR_GAP, MIDDLE, OPENING_ROWS = 0.05, slice(5, 12), np.linspace(0.1, 0.9, 9)
"""IOD from which it is judged how clearly an opening shows what is in it, and where: samples of the inner lines, and
shares of the way from lip to lip."""

ALONG_LINE, ACROSS_LINE, LIP_QUANTILE, SOOT = slice(3, 14), np.linspace(-0.03, 0.03, 13), 0.75, 0.6
"""Where the line between closed lips is looked at: samples along it, IOD across it; which of the lightness found there
is that of the lips, and the share of it below which it is dark."""

LEAST_SPEED = 4.0
"""How fast a mouth that speaks opens and shuts: mean change of the gap a second over its deviation. Of 50 clips
people who speak had 4.8 and more, presenters who smile or chew up to 3.4: a smile's mouths are not those of speech."""


@dataclass(frozen=True)
class Exemplar:
    """One frame's mouth.

    Attributes:
        frame: index in the presenter.
        picture: uint8 (rows, columns, 3) BGR, cut from the frame as it is.
        head: of the picture.
        contours: its lips, head frame, as the landmarks tell them: what they get wrong in it they get wrong in a like
            mouth too, so that the two fit.
        seen_gap: the opening that the picture shows, IOD: landmarks miss lips that bare clenched teeth.
        sharpness: standard deviation of the Laplacian over the lips, grey levels.
        clearness: mean size of the Laplacian in the opening, grey levels: teeth and dark that are told apart, and no
            film; 0 where the lips touch.
        soot: how dark and how broad the line between the lips is, 0..1.
    """

    frame: int
    picture: NDArray[np.uint8]
    head: HeadFrame
    contours: MouthContours
    seen_gap: float
    sharpness: float
    clearness: float = 0.0
    soot: float = 0.0


@dataclass(frozen=True)
class ExemplarSet:
    """The mouths of one presenter, in the presenter's order; at least one.

    Attributes:
        signatures: float64 (mouths, numbers), what they look like, comparable by distance.
        poses: float64 (mouths, 2), yaw and pitch, radians.
        follows: bool (mouths,), the mouth is that of the frame after the one before, in the same shot.
        shots: int (mouths,), which shot each belongs to.
        closed: bool (mouths,), whose lips touch.
        closed_height: float64 (17,), how far apart the landmarks put inner lips that touch, IOD.
        unrest: float64 (mouths,), how fast their lips move, IOD a second.
        speaks: whether they are the mouths of speech; else there are closed ones alone, for where the presenter's own
            lips part without speech.
    """

    mouths: tuple[Exemplar, ...]
    signatures: NDArray[np.float64]
    poses: NDArray[np.float64]
    follows: NDArray[np.bool_]
    shots: NDArray[np.int64]
    closed: NDArray[np.bool_]
    closed_height: NDArray[np.float64]
    unrest: NDArray[np.float64]
    speaks: bool = True

    @property
    def frames(self) -> NDArray[np.int64]:
        """Their places in the presenter (mouths,)."""
        return np.array([mouth.frame for mouth in self.mouths])


def has_varied_mouths(tracks: FaceTracks, calibration: Calibration) -> bool:
    """Tell from the tracks alone whether a presenter shows enough different mouths, open ones among them."""
    opened = tracks.present & (calibration.parted > 0.5)
    if opened.sum() < FEWEST_OPEN_SECONDS * float(tracks.frame_rate):
        return False
    gaps = calibration.gaps[tracks.present]
    if opening_span(gaps) < SPEAKING_SPAN:
        return False
    speed = float(np.mean(np.abs(np.diff(gaps)))) * float(tracks.frame_rate) / float(np.std(gaps))
    return speed >= LEAST_SPEED


def parts_its_lips(tracks: FaceTracks, calibration: Calibration) -> bool:
    """Tell from the tracks alone whether a mouth that does not speak is closed, and opens now and then."""
    if np.nanmedian(calibration.gaps) > USUAL_GAP:
        return False
    wide = calibration.gaps > np.nanmin(calibration.gaps) + MOVED_GAP
    moved = tracks.present & (calibration.rest.motion > 0.5) & wide
    return bool(moved.sum() >= FEWEST_MOVED_SECONDS * float(tracks.frame_rate))


def collect_exemplars(
    frames: Callable[[Boxes | None], Iterable[NDArray[np.uint8]]],
    tracks: FaceTracks,
    calibration: Calibration,
    allowed: NDArray[np.bool_] | None = None,
    areas: NDArray[np.integer] | None = None,
) -> ExemplarSet | None:
    """Keep the mouths of a presenter that shows many different ones, and the closed ones of one that moves its mouth.

    None for any other, whose frames are not read.

    Args:
        frames: opens the presenter's frames, in order, as ``FrameSequence.frames``; read once, no further than needed.
        allowed: bool (frames,), where mouths may be taken from.
        areas: (frames, 4), the part that is looked at; default, all of every frame is read.
    """
    # A presenter who keeps still closes with the frame's own lips: with those of other frames they trembled half as
    # much again.
    speaks = has_varied_mouths(tracks, calibration)
    if not speaks and not parts_its_lips(tracks, calibration):
        return None
    touching = float(np.nanmin(calibration.gaps)) + CLOSED_LANDMARK_GAP
    if not speaks:
        nearly_closed = np.nan_to_num(calibration.gaps, nan=np.inf) <= touching
        nearly_closed &= np.arange(len(tracks)) < CLOSED_SECONDS * float(tracks.frame_rate)
        allowed = nearly_closed if allowed is None else allowed & nearly_closed
    chosen = select_exemplar_frames(tracks, calibration, allowed, MOST_EXEMPLARS if speaks else MOST_CLOSED)
    wanted = None if areas is None else np.where(chosen[:, None], areas, 0)
    with closing(prefetch(frames(wanted), FRAMES_AHEAD)) as read:
        mouths = tuple(
            mouth
            for mouth in _crop_exemplars(read, chosen, tracks, calibration)
            if speaks or mouth.seen_gap <= CLOSED_SEEN_GAP
        )
    if not mouths:
        return None
    places = np.array([mouth.frame for mouth in mouths])
    shots = tracks.shots[places]
    return ExemplarSet(
        mouths=mouths,
        signatures=np.stack([shape_descriptor(mouth.contours) for mouth in mouths]),
        poses=np.radians(tracks.pose[places, :2].astype(np.float64)),
        # Closed lips are held, not played: they would tremble.
        follows=np.r_[False, (np.diff(places) == 1) & (np.diff(shots) == 0)] & speaks,
        shots=shots,
        closed=np.array([m.seen_gap <= CLOSED_SEEN_GAP and m.contours.gap <= touching for m in mouths]),
        closed_height=_closed_height(calibration),
        unrest=_unrest(calibration, float(tracks.frame_rate))[places],
        speaks=speaks,
    )


def _unrest(calibration: Calibration, frame_rate: float) -> NDArray[np.float64]:
    """How fast the lips rise or sink in every frame, IOD a second."""
    heights = calibration.lips[..., 1].reshape(len(calibration.lips), -1)
    steps = frame_rate * np.nan_to_num(np.abs(np.diff(heights, axis=0)).max(axis=1))
    return np.maximum(np.r_[steps, 0.0], np.r_[0.0, steps])


def select_exemplar_frames(
    tracks: FaceTracks,
    calibration: Calibration,
    allowed: NDArray[np.bool_] | None = None,
    most: int | None = None,
) -> NDArray[np.bool_]:
    """Return which frames to keep, bool (frames,): all of a short presenter, else runs about the most different mouths.

    Each further run lies around the frame least like any taken before (k-centre after Gonzalez 1985).
    """
    rate = float(tracks.frame_rate)
    usable = tracks.present & (np.arange(len(tracks)) < SEARCHED_SECONDS * rate)
    if allowed is not None:
        usable &= allowed
    most = min(most or MOST_EXEMPLARS, max(1, int(MOST_BYTES / _exemplar_bytes(tracks, calibration))))
    if usable.sum() <= most:
        return usable
    candidates = np.flatnonzero(usable)
    looks = np.stack([shape_descriptor(contours_from_lips(calibration.lips[i])) for i in candidates])
    looks = np.concatenate([looks, np.radians(tracks.pose[candidates, :2])], axis=1)
    reach = window_length(RUN_SECONDS, tracks.frame_rate) // 2
    chosen = np.zeros(len(tracks), bool)
    distance = np.full(len(candidates), np.inf)
    furthest = int(np.argmin(np.linalg.norm(looks - np.median(looks, axis=0), axis=1)))
    while True:
        centre = candidates[furthest]
        run = usable[max(0, centre - reach) : centre + reach + 1].copy()
        wider = chosen.copy()
        wider[max(0, centre - reach) : centre + reach + 1] |= run
        if wider.sum() > most or distance[furthest] == 0:
            return chosen if chosen.any() else wider
        chosen = wider
        taken = np.flatnonzero(chosen[candidates] & (np.abs(candidates - centre) <= reach))
        for index in taken:
            distance = np.minimum(distance, ((looks - looks[index]) ** 2).sum(axis=1))
        furthest = int(distance.argmax())


def _exemplar_bytes(tracks: FaceTracks, calibration: Calibration) -> float:
    areas = pixel_areas(tracks.head[tracks.present])
    width, height = calibration.neutral_width + 2 * EXEMPLAR_MARGIN, 0.5 + EXEMPLAR_MARGIN + CHIN_MARGIN
    return 3 * width * height / float(np.median(areas))


def _closed_height(calibration: Calibration) -> NDArray[np.float64]:
    closed = calibration.lips[calibration.gaps <= np.nanquantile(calibration.gaps, CLOSED_FRAMES_SHARE)]
    lines = [contours_from_lips(frame) for frame in closed]
    return np.median([line.lower_inner[:, 1] - line.upper_inner[:, 1] for line in lines], axis=0)


def _crop_exemplars(
    frames: Iterable[NDArray[np.uint8]], chosen: NDArray[np.bool_], tracks: FaceTracks, calibration: Calibration
) -> Iterator[Exemplar]:
    """Yield the mouths of the chosen frames, looked at run by run, so that no run is steadied by another."""
    source = enumerate(frames)
    for run in present_runs(chosen, tracks.cuts):

        def shown(run: slice = run) -> Iterator[tuple[int, NDArray[np.uint8]]]:
            for index, frame in source:
                if index >= run.start:
                    yield index, frame
                if index == run.stop - 1:
                    return

        for seen in observe_frames(shown(), tracks, calibration):
            contours = contours_from_lips(calibration.lips[seen.presenter_frame])
            mouth = _crop_exemplar(seen, tracks.head_frame(seen.presenter_frame), contours)
            if mouth is not None:
                yield mouth


def _crop_exemplar(seen: Observation, head: HeadFrame, contours: MouthContours) -> Exemplar | None:
    """Cut the mouth out of a frame; None where it does not lie whole in the frame."""
    import cv2

    if seen.contours is None:
        return None
    lips = np.concatenate([contours.upper_outer, contours.lower_outer])
    height, width = seen.frame.shape[:2]
    left, top, right, bottom = head.pixel_box(
        lips.min(axis=0) - EXEMPLAR_MARGIN,
        lips.max(axis=0) + np.array([EXEMPLAR_MARGIN, CHIN_MARGIN]),
        (width, height),
    )
    own_lips = head.to_pixels(lips)
    if (own_lips < (left, top)).any() or (own_lips > (right - 1, bottom - 1)).any():
        return None
    picture, head = seen.frame[top:bottom, left:right].copy(), head.cropped(left, top)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    return Exemplar(
        frame=seen.presenter_frame,
        picture=picture,
        head=head,
        contours=contours,
        seen_gap=max(0.0, seen.contours.gap),
        sharpness=_sharpness(grey, own_lips - (left, top)),
        clearness=_clearness(grey, head, contours) if seen.contours.gap > CLEAR_GAP else 0.0,
        soot=_soot(grey, head, contours),
    )


def _sharpness(grey: NDArray[np.uint8], lips: NDArray[np.float64]) -> float:
    import cv2

    (left, top), (right, bottom) = np.floor(lips.min(axis=0)).astype(int), np.ceil(lips.max(axis=0)).astype(int)
    around = np.ascontiguousarray(grey[top : bottom + 1, left : right + 1])
    return float(cv2.Laplacian(around, cv2.CV_32F).std())


def _clearness(grey: NDArray[np.uint8], head: HeadFrame, contours: MouthContours) -> float:
    import cv2

    upper, lower = contours.upper_inner[MIDDLE], contours.lower_inner[MIDDLE]
    places = head.to_pixels(upper + OPENING_ROWS[:, None, None] * (lower - upper)).astype(np.float32)
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    return float(np.abs(cv2.remap(edges, places[..., 0], places[..., 1], cv2.INTER_LINEAR)).mean())


def _soot(grey: NDArray[np.uint8], head: HeadFrame, contours: MouthContours) -> float:
    import cv2

    line = (contours.upper_inner[ALONG_LINE] + contours.lower_inner[ALONG_LINE]) / 2
    places = head.to_pixels(line + ACROSS_LINE[:, None, None] * np.array([0.0, 1.0])).astype(np.float32)
    seen = cv2.remap(grey, places[..., 0], places[..., 1], cv2.INTER_LINEAR).astype(np.float32)
    lips = max(float(quantile(seen, LIP_QUANTILE)), 1.0)
    return float(np.maximum(1 - seen / (SOOT * lips), 0).mean())
