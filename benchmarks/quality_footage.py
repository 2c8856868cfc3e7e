"""The footage that quality is measured on: people who speak, presenters who do not, and the clips made of both."""

import csv
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import Presenter, load_presenter, save_presenter, track_presenter
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.lipsync.compositing import composite
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.media.encode import encode_clip
from heygem_pipeline.media.frame import Frame
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.quality.sync_meter import picture_after_sound, reading_of
from heygem_pipeline.settings import DEFAULTS, RenderSettings, SyntheticLabel

SOUND_RATE = 48000
TRUSTED_LAG = 3.0
"""``lag_confidence`` of the footage's index from which its lag is taken."""


@dataclass(frozen=True)
class Speaker:
    """Someone who is seen and heard to speak: the truth that clips are compared with.

    lag: seconds by which the clip's sound comes later than its picture. lag_source: who measured it, ``index`` (another
    program) or ``meter`` (this project's), with the confidence.
    """

    presenter: Presenter
    lag: float
    lag_source: str
    lag_trusted: bool

    @property
    def name(self) -> str:
        """File name without its ending."""
        return self.presenter.path.stem

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        return float(len(self.presenter.tracks) / self.presenter.tracks.frame_rate)


@dataclass(frozen=True)
class MadeClip:
    """A finished clip. patches: left, top, right and bottom of the patch of each frame that has one."""

    path: Path
    voice: Voice
    presenter: Presenter
    patches: list[tuple[int, int, int, int]]


class Footage:
    """Clips under ``folder/talking`` and ``folder/idle``; what was tracked is kept in ``kept`` between runs."""

    def __init__(self, folder: Path, kept: Path) -> None:
        self.folder, self.kept = folder, kept
        kept.mkdir(parents=True, exist_ok=True)

    def presenters(self) -> list[Presenter]:
        """Those who do not speak, by name."""
        return [self.presenter(path) for path in sorted((self.folder / "idle").glob("*.mp4"))]

    def speakers(self) -> list[Speaker]:
        """Those who speak, by name, each with the lag of the clip's own sound."""
        return [self._speaker(path) for path in sorted((self.folder / "talking").glob("*.mp4"))]

    def presenter(self, path: Path, name: str = "") -> Presenter:
        """A tracked clip. name: under which its tracks are kept, default that of the file."""
        name = name or path.stem
        tracks, speech = self.kept / f"{name}.face.parquet", self.kept / f"{name}.speech.parquet"
        if not tracks.exists():
            save_presenter(track_presenter(path), tracks, speech)
        return load_presenter(tracks, speech, path, DEFAULTS)

    def _speaker(self, path: Path) -> Speaker:
        presenter = self.presenter(path)
        assert presenter.own_speech is not None, f"{path.name} has no sound"
        with (self.folder / "index.csv").open(newline="") as file:
            row = next(row for row in csv.DictReader(file) if row["file"] == f"talking/{path.name}")
        if float(row["lag_confidence"] or 0) >= TRUSTED_LAG:
            lag = float(row["lag_frames"]) / float(row["fps"])
            return Speaker(presenter, lag, f"index {float(row['lag_confidence']):.1f}", True)
        rate = float(presenter.tracks.frame_rate)
        gap = measure_mouth(presenter.tracks).gap.astype(np.float64)
        times = np.arange(len(presenter.tracks)) / rate + picture_after_sound(path)
        reading = reading_of(gap, times, presenter.own_speech, rate)
        trusted = reading.confidence >= TRUSTED_LAG
        return Speaker(presenter, reading.offset_frames / rate, f"meter {reading.confidence:.1f}", trusted)


def write_sound(samples: NDArray[np.floating], destination: Path) -> Path:
    """Write samples (-1..1) at 48 kHz as a 16-bit WAV file."""
    with wave.open(str(destination), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return destination


def cut_voice(clip: Path, seconds: float, folder: Path) -> Voice:
    """The first seconds of a clip's sound as a voice of its own."""
    sound = read_sound(clip, SOUND_RATE)
    return analyse_voice(write_sound(sound.samples[: round(seconds * SOUND_RATE)], folder / f"{clip.stem}.wav"))


def make_clip(voice: Voice, presenter: Presenter, destination: Path) -> MadeClip:
    """Make a finished clip as ``heygem generate`` does, without the visible label."""
    patches: list[tuple[int, int, int, int]] = []

    def noted(drawn: Iterator[MouthPatch]) -> Iterator[MouthPatch]:
        for patch in drawn:
            if patch.pixels is not None:
                patches.append(patch_box(patch.left, patch.top, patch.pixels))
            yield patch

    drawn = draw_mouths(voice, presenter, load_engine("warp"))
    frames = composite(presenter.open().shown(frame_count(voice, presenter)), noted(drawn))
    _encode(frames, voice, presenter, destination)
    return MadeClip(destination, voice, presenter, patches)


def encode_template(voice: Voice, presenter: Presenter, destination: Path) -> Path:
    """The presenter's own frames encoded as a clip of this voice would be: what encoding alone does to them."""
    _encode(
        (frame for _, frame in presenter.open().shown(frame_count(voice, presenter))),
        voice,
        presenter,
        destination,
    )
    return destination


def frames_of(video: Path, first: int = 0, last: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """Frames of a finished clip, uint8 (height, width, 3) BGR."""
    return islice(FrameSequence.open(video).frames(), first, last)


def frame_count(voice: Voice, presenter: Presenter) -> int:
    """How many frames a clip of both has."""
    return voice.speech.frame_count(presenter.tracks.frame_rate)


def patch_box(left: int, top: int, pixels: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    return left, top, left + pixels.shape[1], top + pixels.shape[0]


def _encode(frames: Iterator[Frame], voice: Voice, presenter: Presenter, destination: Path) -> None:
    encode_clip(
        frames,
        frame_rate=Fraction(presenter.tracks.frame_rate),
        size=presenter.tracks.size,
        sound=voice.path,
        duration=voice.speech.duration,
        destination=destination,
        made_with=RenderSettings(label=SyntheticLabel.OFF),
    )
