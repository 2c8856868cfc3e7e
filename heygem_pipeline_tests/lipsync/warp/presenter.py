"""A presenter held in memory, and speech that asks for a given mouth."""

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.mesh_points import lip_lines_of
from heygem_pipeline.faces.mouth_measure import MouthShape
from heygem_pipeline.faces.tracks import FaceState, FaceTracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.warp.engine import WarpEngine
from heygem_pipeline.media.template import Boxes, Template
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.speech.features import FEATURE_RATE, MEL_BANDS, MOVEMENTS, SpeechFeatures

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Presenter:
    """Frames and their tracks; stands in for a decoded file."""

    pictures: tuple[Picture, ...]
    tracks: FaceTracks

    @property
    def template(self) -> Template:
        """What the engine asks of a template: its frames and its presentation."""
        return cast(Template, self)

    def frames(self, wanted: Boxes | None = None) -> Iterator[Picture]:
        """Yield own copies of the frames, forward; black where nothing is wanted."""
        yield from (self._seen(index, wanted) for index in range(len(self.pictures)))

    def presentation(self, count: int, wanted: Boxes | None = None) -> Iterator[tuple[int, Picture]]:
        """Yield (index, own copy of the frame), forward and back; black where nothing is wanted."""
        for position in range(count):
            index = ping_pong(position, len(self.pictures))
            yield index, self._seen(index, wanted)

    def _seen(self, index: int, wanted: Boxes | None) -> Picture:
        if wanted is None:
            return self.pictures[index].copy()
        left, top, right, bottom = wanted[index]
        picture = np.zeros_like(self.pictures[index])
        picture[top:bottom, left:right] = self.pictures[index][top:bottom, left:right]
        return picture

    def without_face(self, *frames: int) -> "Presenter":
        """The same, with no face in some frames."""
        state = self.tracks.state.copy()
        state[list(frames)] = FaceState.ABSENT
        gone = state == FaceState.ABSENT

        def blank(values: NDArray[np.floating]) -> NDArray[np.floating]:
            copy = values.copy()
            copy[gone] = np.nan
            return copy

        tracks = replace(
            self.tracks,
            state=state,
            landmarks=blank(self.tracks.landmarks),
            lips=blank(self.tracks.lips),
            head=blank(self.tracks.head),
            raw_head=blank(self.tracks.raw_head),
        )
        return Presenter(self.pictures, tracks)

    def moved(self, right: int, down: int) -> "Presenter":
        """The same face elsewhere in a frame of the same size; what leaves the frame is lost."""
        import cv2

        shift = np.array([[1, 0, right], [0, 1, down]], np.float64)
        size = self.tracks.size
        pictures = tuple(
            np.asarray(cv2.warpAffine(p, shift, size, borderMode=cv2.BORDER_REFLECT), np.uint8) for p in self.pictures
        )
        offset = np.array([right, down])

        def placed(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
            copy = matrices.copy()
            copy[:, :, 2] -= matrices[:, :, :2] @ offset
            return copy

        tracks = replace(
            self.tracks,
            landmarks=(self.tracks.landmarks + offset).astype(np.float32),
            lips=(self.tracks.lips + offset).astype(np.float32),
            head=placed(self.tracks.head),
            raw_head=placed(self.tracks.raw_head),
        )
        return Presenter(pictures, tracks)


def with_landmarks(tracks: FaceTracks, landmarks: NDArray[np.float32]) -> FaceTracks:
    """The tracks with other landmarks, and the lips' lines drawn through them."""
    return replace(tracks, landmarks=landmarks, lips=lip_lines_of(landmarks))


@dataclass(frozen=True)
class Watched(Presenter):
    """Notes every frame it presents without holding it, so that one can count those that somebody else holds."""

    noted: list[weakref.ref[Picture]]

    def presentation(self, count: int, wanted: Boxes | None = None) -> Iterator[tuple[int, Picture]]:
        for index, frame in super().presentation(count, wanted):
            self.noted.append(weakref.ref(frame))
            yield index, frame
            del frame


def speech_of(frames: int, activity: float = 1.0, frame_rate: Fraction = Fraction(25)) -> SpeechFeatures:
    """Features that last ``frames`` video frames; what they hold matters only to the shipped model."""
    duration = frames / frame_rate
    rows = int(duration * FEATURE_RATE) + 1
    return SpeechFeatures(
        duration=duration,
        log_mel=np.full((rows, MEL_BANDS), -4, np.float32),
        level=np.full(rows, -100, np.float32),
        activity=np.full(rows, activity, np.float32),
        movement=np.zeros((rows, len(MOVEMENTS)), np.float32),
    )


def asking_for(gap: NDArray[np.floating], width: float = 0.0) -> WarpEngine:
    """An engine whose speech asks for these openings, standard units, whatever is heard."""

    def model(speech: SpeechFeatures, frame_rate: Fraction, frame_count: int) -> MouthShape:
        asked = np.resize(gap, frame_count).astype(np.float32)
        return MouthShape(asked, np.full_like(asked, width), asked, asked, asked, asked * 0, asked * 0)

    return WarpEngine(model)


def patches(engine: WarpEngine, presenter: Presenter, frames: int) -> list[MouthPatch]:
    """All patches of a clip of that many frames."""
    return list(engine.generate(speech_of(frames), presenter.template, presenter.tracks))


def laid(patch: MouthPatch, picture: Picture) -> Picture:
    """The finished frame."""
    frame = picture.copy()
    if patch.pixels is not None:
        height, width = patch.pixels.shape[:2]
        frame[patch.top : patch.top + height, patch.left : patch.left + width] = patch.pixels
    return frame


MakePresenter = Callable[[Picture], Presenter]
