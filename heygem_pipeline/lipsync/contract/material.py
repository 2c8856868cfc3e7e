"""What an engine is tried on: a presenter held in memory, and voices made by rule."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.demo.portraits import GRACE_HOPPER
from heygem_pipeline.faces.mesh_tracker import MeshTracker
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.faces.tracks import FaceState, FaceTracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.media.colour import ColourTags
from heygem_pipeline.media.decode import Converter
from heygem_pipeline.media.frame import BgrFrame, Frame
from heygem_pipeline.media.frame_sequence import Boxes, FrameSequence
from heygem_pipeline.media.geometry import Orientation
from heygem_pipeline.media.probe import VideoInfo
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.media.wave_file import write_wave
from heygem_pipeline.settings import EngineSettings
from heygem_pipeline.speech.features import FEATURE_RATE, MEL_BANDS, MOVEMENTS, SpeechFeatures

RATE = Fraction(25)
SOUND_RATE = 16_000

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class HeldPresenter:
    """Frames and their tracks; stands in for a decoded file."""

    pictures: tuple[Picture, ...]
    tracks: FaceTracks

    @property
    def sequence(self) -> FrameSequence:
        """The frames as an engine reads them."""
        height, width = self.pictures[0].shape[:2]
        rate, count = self.tracks.frame_rate, len(self.pictures)
        info = VideoInfo(
            path=Path("presenter.mp4"),
            width=width,
            height=height,
            stored_size=(width, height),
            orientation=Orientation(),
            frame_rate=rate,
            frame_count=count,
            duration=count / rate,
            has_sound=False,
            still=count == 1,
            codec="rawvideo",
            variable_rate=False,
            packet_count=count,
            decoded_bytes=self.pictures[0].nbytes,
            colours=ColourTags(),
            colour_mapping=None,
        )
        return _HeldPictures(info, None, np.arange(count), Converter(info), presenter=self)

    def seen(self, index: int, wanted: Boxes | None = None) -> Picture:
        """An own copy of a frame; black where nothing is wanted."""
        if wanted is None:
            return self.pictures[index].copy()
        left, top, right, bottom = wanted[index]
        picture = np.zeros_like(self.pictures[index])
        picture[top:bottom, left:right] = self.pictures[index][top:bottom, left:right]
        return picture

    def note(self, frame: Picture) -> None:
        """Told of every frame that is presented."""

    def without_face(self, *frames: int) -> "HeldPresenter":
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
        return HeldPresenter(self.pictures, tracks)

    def only(self, frames: slice) -> "HeldPresenter":
        """Some of the frames, in which nothing is cut."""
        names = ("state", "boxes", "landmarks", "lips", "blendshapes", "head", "raw_head", "pose", "score")
        parts = {name: getattr(self.tracks, name)[frames] for name in names}
        return HeldPresenter(self.pictures[frames], replace(self.tracks, **parts))

    def moved(self, right: int, down: int) -> "HeldPresenter":
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
        return HeldPresenter(pictures, tracks)


@dataclass(frozen=True)
class _HeldPictures(FrameSequence):
    """A presenter whose frames lie in memory."""

    presenter: HeldPresenter | None = field(default=None, repr=False)

    def frames(self, wanted: Boxes | None = None, exact: bool = True) -> Iterator[Picture]:
        """As ``FrameSequence.frames``."""
        yield from (self._held.seen(index, wanted) for index in range(self.info.frame_count))

    def presentation(self, count: int, wanted: Boxes | None = None) -> Iterator[tuple[int, Picture]]:
        """As ``FrameSequence.presentation``."""
        for position in range(count):
            index = ping_pong(position, self.info.frame_count)
            frame = self._held.seen(index, wanted)
            self._held.note(frame)
            yield index, frame
            del frame

    def shown(self, count: int) -> Iterator[tuple[int, Frame]]:
        """As ``FrameSequence.shown``."""
        return ((index, BgrFrame(frame)) for index, frame in self.presentation(count))

    @property
    def _held(self) -> HeldPresenter:
        assert self.presenter is not None
        return self.presenter


def laid(patch: MouthPatch, picture: Picture) -> Picture:
    """The finished frame."""
    frame = picture.copy()
    if patch.pixels is not None:
        height, width = patch.pixels.shape[:2]
        frame[patch.top : patch.top + height, patch.left : patch.left + width] = patch.pixels
    return frame


def swaying_photograph(picture: Picture, scale: float, frames: int = 12) -> HeldPresenter:
    """A photograph that nods a little, tracked by the default tracker."""
    import cv2

    height, width = (int(side * scale) for side in picture.shape[:2])
    pictures = []
    for index in range(frames):
        sway = np.sin(2 * np.pi * index / frames)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 1.0 * sway, 1.0)
        matrix = matrix @ np.array([[scale, 0, 0], [0, scale, 0], [0, 0, 1]])
        pictures.append(np.asarray(cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC), np.uint8))
    followed = MeshTracker().track(iter(pictures), RATE)
    return HeldPresenter(tuple(pictures), complete_tracks(followed, RATE, (width, height)))


def closed_lips() -> HeldPresenter:
    """Grace Hopper (photograph of the United States Navy), her lips together."""
    return swaying_photograph(GRACE_HOPPER.photograph(), 0.9)


def made_features(activity: NDArray[np.floating], level: NDArray[np.floating] | None = None) -> SpeechFeatures:
    """Features whose mel is fixed noise while somebody speaks and silence elsewhere; the movement is 0."""
    spoken = np.asarray(activity) > 0.5
    mel = np.random.default_rng(1).normal(-1, 1, (len(activity), MEL_BANDS)).clip(-4, 4)
    mel[~spoken] = -4
    if level is None:
        level = np.where(spoken, -20.0, -90.0)
    return SpeechFeatures(
        duration=Fraction(len(activity) - 1, FEATURE_RATE),
        log_mel=mel.astype(np.float32),
        level=np.asarray(level, np.float32),
        activity=np.asarray(activity, np.float32),
        movement=np.zeros((len(activity), len(MOVEMENTS)), np.float32),
    )


@dataclass(frozen=True)
class Material:
    """All that an engine's promises are tried on.

    Attributes:
        presenter: whose lips are closed.
        folder: for the voices' sound.
        settings: with which the engine was made.
    """

    presenter: HeldPresenter
    folder: Path
    settings: EngineSettings

    def voice(self, frames: int, silent_from: int | None = None) -> SpeechFeatures:
        """A voice of so many frames, with silence from one on."""
        duration = frames / RATE
        activity = np.ones(int(duration * FEATURE_RATE) + 1)
        until = frames if silent_from is None else silent_from
        activity[int(until / RATE * FEATURE_RATE) :] = 0 if silent_from is not None else 1
        noise = 0.1 * np.random.default_rng(2).standard_normal(round(duration * SOUND_RATE))
        noise[int(until / RATE * SOUND_RATE) :] = 0
        path = self.folder / f"voice-{frames}-{silent_from}.wav"
        write_wave(path, noise, SOUND_RATE)
        return replace(made_features(activity), duration=duration, sound=path)
