"""A performance drawn on a presenter's frames, patch by patch."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.compositing import visibility_fade
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.warp.analysis.calibration import Calibration
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.analysis.lip_record import LipRecord
from heygem_pipeline.lipsync.warp.analysis.observation import Observation, observe_frames
from heygem_pipeline.lipsync.warp.analysis.rest_pose import NO_OFFSET, RestOffset
from heygem_pipeline.lipsync.warp.articulation.lip_model import (
    closed_contours,
    interpolate_contours,
    largest_displacement,
)
from heygem_pipeline.lipsync.warp.articulation.performance import MouthTarget, Performance
from heygem_pipeline.lipsync.warp.contours import MouthContours, contours_from_lips
from heygem_pipeline.lipsync.warp.deformation.control_points import JAW, JAW_PROFILE
from heygem_pipeline.lipsync.warp.exemplars.closing import closing_shares
from heygem_pipeline.lipsync.warp.exemplars.collection import Exemplar, ExemplarSet
from heygem_pipeline.lipsync.warp.exemplars.retrieval import Match, Query, mouth_costs, retrieve
from heygem_pipeline.lipsync.warp.frame_renderer import ExemplarOverlay, FrameRenderer, Patch

INVISIBLE_MOVE = 0.0015
"""IOD: shapes closer than this are the same, and the presenter's pixels stay as they are (0.15 px of a 100 px IOD)."""

SHUT_GAP, AJAR_GAP = 0.03, 0.06
"""IOD: a frame whose own lips are no further apart closes with them; one where they are further needs others."""

SMALL_MOVE, LARGE_MOVE = 0.003, 0.010
"""IOD: a mouth that moves less keeps its frame's own pixels; one that moves more is replaced by a found one."""


def render_performance(
    performance: Performance,
    presentation: Iterable[tuple[int, NDArray[np.uint8]]],
    shown: NDArray[np.integer],
    tracks: FaceTracks,
    calibration: Calibration,
    exemplars: ExemplarSet | None = None,
    excluded: Callable[[int], NDArray[np.bool_]] | None = None,
    record: LipRecord | None = None,
) -> Iterator[MouthPatch]:
    """Yield a patch for every output frame, in order, holding a few frames.

    Args:
        presentation: presenter frame and its picture, uint8 (height, width, 3) BGR, for every output frame.
        shown: (frames,), the same presenter frames, known beforehand.
        exemplars: the presenter's own mouths, laid over the warped face where one is near; or the closed ones of a
            presenter who does not speak, from which the mouth is opened; None = always warp and draw.
        excluded: for an output frame, bool (mouths,), those that may not be shown; default none.
        record: as of ``observe_frames``.
    """
    renderer = _SequenceRenderer(performance, shown, tracks, calibration, exemplars)
    found: Iterator[Match | None] = repeat(None)
    closing: Iterator[tuple[Match | None, float]] = repeat((None, 0.0))
    rate = float(tracks.frame_rate)
    if exemplars is not None and not exemplars.speaks:
        still = retrieve(renderer.closed, len(shown), exemplars, rate, excluded, closed_only=True)
        closing = ((match, 1.0) for match in still)
    elif exemplars is not None:
        # Both searches ask for the same, a few seconds ahead.
        asked = lru_cache(maxsize=512)(renderer.wanted)
        costs = lru_cache(maxsize=512)(mouth_costs(asked, exemplars, rate))
        search = partial(retrieve, asked, len(shown), exemplars, rate, excluded, costs_of=costs)
        found = search()
        if exemplars.closed.any():
            closing = closing_shares(search(closed_only=True), rate)
    for seen, mouth, (lips, share) in zip(
        observe_frames(presentation, tracks, calibration, record), found, closing, strict=False
    ):
        yield renderer.patch(seen, mouth, lips, share)


@dataclass(frozen=True)
class _Face:
    """What a mouth is drawn on.

    Attributes:
        landmarks: (68, 2), head frame.
        contours: its lips.
        rest: the way to its mouth at rest.
    """

    presenter_frame: int
    frame: NDArray[np.uint8]
    landmarks: NDArray[np.float64]
    contours: MouthContours
    rest: RestOffset

    @classmethod
    def of(cls, seen: Observation, calibration: Calibration) -> "_Face":
        assert seen.contours is not None
        place = seen.presenter_frame
        return cls(place, seen.frame, calibration.landmarks[place], seen.contours, calibration.rest.of(place))

    def closed_by(self, patch: Patch, lips: MouthContours, strength: float) -> "_Face":
        """The same at rest, as a patch shows it."""
        landmarks = self.landmarks.copy()
        landmarks[JAW, 1] += strength * self.rest.chin * JAW_PROFILE
        return _Face(self.presenter_frame, patch.laid_on(self.frame), landmarks, lips, NO_OFFSET)


class _SequenceRenderer:
    def __init__(
        self,
        performance: Performance,
        shown: NDArray[np.integer],
        tracks: FaceTracks,
        calibration: Calibration,
        exemplars: ExemplarSet | None,
    ) -> None:
        self._performance, self._shown, self._tracks, self._calibration = performance, shown, tracks, calibration
        self._exemplars, self._shots = exemplars, tracks.shots
        self._strength = visibility_fade(tracks.present[shown], tracks.frame_rate)
        self._renderer = FrameRenderer()

    def wanted(self, output_frame: int) -> Query | None:
        """What the mouth shall look like, as far as the tracks alone tell."""
        frame = int(self._shown[output_frame])
        if self._exemplars is None or not self._tracks.present[frame]:
            return None
        predicted = contours_from_lips(self._calibration.lips[frame])
        own = interpolate_contours(closed_contours(predicted), predicted, float(self._calibration.parted[frame]))
        asked = self._performance.target_for(output_frame, own, self._calibration.rest.of(frame))
        pose = np.radians(self._tracks.pose[frame, :2].astype(np.float64))
        shot = int(self._shots[frame])
        return Query(
            _with_landmark_bias(asked.target, self._exemplars.closed_height), asked.target.gap, pose, shot, frame
        )

    def closed(self, output_frame: int) -> Query | None:
        """The closed mouth of a frame whose lips the presenter parts without speaking; None where they do not."""
        frame = int(self._shown[output_frame])
        if self._exemplars is None or not self._tracks.present[frame] or not self._calibration.parted[frame]:
            return None
        rest = self._calibration.rest.of(frame)
        if not rest.motion:
            return None
        lips = closed_contours(contours_from_lips(self._calibration.lips[frame]), rest)
        pose = np.radians(self._tracks.pose[frame, :2].astype(np.float64))
        return Query(
            _with_landmark_bias(lips, self._exemplars.closed_height), 0.0, pose, int(self._shots[frame]), frame
        )

    def patch(self, seen: Observation, found: Match | None, closing: Match | None, share: float) -> MouthPatch:
        untouched = MouthPatch(seen.output_frame, seen.presenter_frame)
        strength, calibration = float(self._strength[seen.output_frame]), self._calibration
        if seen.contours is None or seen.light is None or strength == 0:
            return untouched
        rest = calibration.rest.of(seen.presenter_frame)
        asked = self._performance.target_for(seen.output_frame, seen.contours, rest)
        target = interpolate_contours(seen.contours, asked.target, strength)
        move = largest_displacement(seen.contours, target)
        if move < INVISIBLE_MOVE and (asked.jaw + abs(rest.chin)) * strength < INVISIBLE_MOVE:
            return untouched
        if self._exemplars is not None and not self._exemplars.speaks:
            return self._opened_from_closed(seen, closing, strength) or untouched
        shut = share * smoothstep(SHUT_GAP, AJAR_GAP, seen.contours.gap)
        overlay = self._overlay(found, closing, shut, move, strength)
        patch = self._rendered(_Face.of(seen, calibration), asked, target, strength, seen.light, overlay)
        if patch is None:
            return untouched
        visible = overlay.visibility if overlay else 0.0
        return MouthPatch(seen.output_frame, seen.presenter_frame, patch.left, patch.top, patch.pixels, visible)

    def _opened_from_closed(self, seen: Observation, closed: Match | None, strength: float) -> MouthPatch | None:
        """The frame's mouth closed with another frame's lips, where its own part without speech, and opened from there.

        Lips and chin that a yawn or a smile has stretched cannot be bent back: they are smeared.
        """
        assert seen.contours is not None
        assert seen.light is not None
        face, light = _Face.of(seen, self._calibration), seen.light
        shown = strength * face.rest.motion * smoothstep(SHUT_GAP, AJAR_GAP, face.contours.gap)
        first: Patch | None = None
        if closed is not None and closed.near and shown:
            lips = interpolate_contours(face.contours, closed_contours(face.contours, face.rest), strength)
            overlay = ExemplarOverlay([], self._shares(closed, 1.0), closed.wanted.contours, shown)
            resting = MouthTarget(lips, 0.0, 0.0)
            first = self._rendered(face, resting, lips, strength, light, overlay)
            if first is not None:
                face = face.closed_by(first, lips, strength)
        asked = self._performance.target_for(seen.output_frame, face.contours, face.rest)
        target = interpolate_contours(face.contours, asked.target, strength)
        patch = self._rendered(face, asked, target, strength, light, None)
        if patch is None:
            return None
        if first is not None:
            patch = first.with_later(patch, face.frame)
        own = shown if first is not None else 0.0
        return MouthPatch(seen.output_frame, seen.presenter_frame, patch.left, patch.top, patch.pixels, own)

    def _rendered(
        self,
        face: "_Face",
        asked: MouthTarget,
        target: MouthContours,
        strength: float,
        light: FaceLighting,
        overlay: ExemplarOverlay | None,
    ) -> Patch | None:
        return self._renderer.render(
            face.frame,
            self._tracks.head_frame(face.presenter_frame),
            face.landmarks,
            face.contours,
            target,
            jaw=strength * (asked.jaw + face.rest.chin),
            rounding=asked.rounding * strength,
            light=light,
            own_teeth=float(self._calibration.own_teeth[face.presenter_frame]),
            overlay=overlay,
        )

    def _overlay(
        self, found: Match | None, closing: Match | None, shut: float, move: float, strength: float
    ) -> ExemplarOverlay | None:
        if self._exemplars is None:
            return None
        # A frame that has nearly the mouth asked for needs none from elsewhere.
        visibility = strength * float(np.clip((move - SMALL_MOVE) / (LARGE_MOVE - SMALL_MOVE), 0, 1))
        shown = 1.0 if found is not None and found.near else 0.0
        wanted = found if shown else closing
        seen = shut + (1 - shut) * shown
        if wanted is None or visibility * seen == 0:
            return None
        return ExemplarOverlay(
            mouths=self._shares(found, (1 - shut) * shown / seen),
            closing=self._shares(closing, shut / seen),
            lines=wanted.wanted.contours,
            visibility=visibility * seen,
        )

    def _shares(self, match: Match | None, share: float) -> list[tuple[Exemplar, float]]:
        """The mouths of a match, and how far each is seen."""
        if match is None or self._exemplars is None or share == 0:
            return []
        mouths = self._exemplars.mouths
        shown = [(mouths[match.mouth], share * (1.0 - match.fade))]
        if match.fade:
            shown.append((mouths[match.before], share * match.fade))
        return shown


def _with_landmark_bias(target: MouthContours, closed_height: NDArray[np.float64]) -> MouthContours:
    """Open a target by what the landmarks see between lips that touch, so that it compares with tracked mouths."""
    half = np.stack([np.zeros_like(closed_height), closed_height / 2], axis=1)
    return MouthContours(target.upper_outer, target.lower_outer, target.upper_inner - half, target.lower_inner + half)
