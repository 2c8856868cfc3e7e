"""A voice's samples on one timeline, which the mouth's analysis and the finished clip's sound share.

The time is kept where packets are damaged or missing and where a recording changes its format midway.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from numpy.typing import NDArray

from heygem_pipeline.media.formats import cut_off, open_media, read_packets
from heygem_pipeline.media.joined_recordings import joined_recordings
from heygem_pipeline.media.probe import (
    MISSING_SECONDS,
    MISSING_SHARE,
    SoundInfo,
    probe_sound,
    require_sound_format,
    sound_stream,
)
from heygem_pipeline.settings import DEFAULTS, UploadLimits

GAP_SECONDS = Fraction(1, 10)
"""Jumps in the timestamps from here on become silence, as in ffmpeg's aresample; smaller ones are rounding."""

NEW_CLOCK_SECONDS = 10
"""In MPEG streams a larger jump is another clock, not a pause, as ffmpeg takes it too."""

REWOUND_SECONDS = 1
"""From here on back, timestamps begin anew; less is what FFmpeg guesses between two timestamps of the file."""

COUNTED_FORMATS = ("mp3", "aac", "amr")
"""Containers without a clock: FFmpeg counts packets, at the rate of the first one."""

STREAMED_FORMATS = ("mpegts", "mpeg")

CANCELLED_SHARE = 0.1
"""Where two channels keep less than this share of their energy when they are averaged, they are opposite in phase."""

CANCELLED_SECONDS, CANCELLED_PART = 0.25, 0.05
"""From this much sound in opposite phase on, and this part of all that is heard, the louder channel alone is taken."""

INAUDIBLE = 1e-7
"""Mean square of the samples below which nothing is heard anyway: -70 dBFS."""

STEREO_TO_MEAN = np.float32(np.sqrt(0.5))
"""FFmpeg adds the channels of floating-point sound at equal power (x 0.7071 each); this makes it their mean."""


@dataclass(frozen=True)
class Sound:
    """The sound of a voice.

    In a video the sound's own length counts and its own beginning is 0, wherever the picture begins.

    Attributes:
        samples: float32 (n,), mono, -1..1, finite.
        sample_rate: samples a second of ``samples``.
        duration: seconds, exact: the track's own number of samples over its own rate.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    duration: Fraction

    def delayed(self, seconds: Fraction) -> "Sound":
        """The same after so much silence; without its beginning, where that is negative."""
        count = round(seconds * self.sample_rate)
        samples = np.pad(self.samples, (max(0, count), 0))[max(0, -count) :]
        return Sound(samples, self.sample_rate, max(Fraction(0), self.duration + seconds))

    def until(self, seconds: Fraction) -> "Sound":
        """The same, no longer than that."""
        if seconds >= self.duration:
            return self
        return Sound(self.samples[: round(seconds * self.sample_rate)], self.sample_rate, seconds)


def sound_beginning(path: Path, track: int) -> Fraction:
    """Return when a track's first sound is heard, in seconds of the file's clock; 0 where the file does not say."""
    with open_media(path) as container:
        stream = container.streams.audio[track]
        for packet in read_packets(path, container, stream):
            with suppress(FFmpegError):
                for frame in stream.decode(packet):
                    if frame.pts is None or frame.time_base is None:
                        return Fraction(0)
                    return frame.pts * frame.time_base
    return Fraction(0)


def read_sound(
    path: Path, sample_rate: int = 16000, limits: UploadLimits = DEFAULTS, probed: SoundInfo | None = None
) -> Sound:
    """Read the main sound track of a file, the part of it that is used, mixed to one channel and resampled.

    Channels are averaged; where that would cancel them out, the louder one is taken.

    Raises EmptyFile, UnsafeFile, NotMedia, NoSoundTrack, TruncatedFile, TooLong, NothingLeft.

    Args:
        probed: what ``probe_sound`` says of it, where that is known.
    """
    info = probed or probe_sound(path, limits)
    timeline = _Timeline(sample_rate, 1)
    phase = _Phase()
    pieces = list(timeline.samples(phase.watch(sound_frames(path, info.track))))
    if phase.louder is not None:
        timeline = _Timeline(sample_rate, 1, phase.louder)
        pieces = list(timeline.samples(sound_frames(path, info.track)))
    duration = info.trim.seconds_of(timeline.duration, path.name)
    used = info.trim.samples(pieces, sample_rate)
    samples = np.concatenate([np.zeros((0, 1), np.float32), *used])[:, 0]
    return Sound(np.clip(samples, -1, 1).astype(np.float32), sample_rate, duration)


def resampled_sound(info: SoundInfo, sample_rate: int, channels: int) -> Iterator[NDArray[np.float32]]:
    """Yield the same sound for the ear: float32 (n, channels), one or two, at a rate. Raises TruncatedFile."""
    timeline = _Timeline(sample_rate, channels)
    return info.trim.samples(timeline.samples(sound_frames(info.path, info.track)), sample_rate)


def sound_frames(path: Path, track: int | None = None) -> Iterator[AudioFrame]:
    """Yield a decoded track (default: the main one) without gaps and without timestamps.

    Where nothing was recorded, and where packets are damaged, it is silent.
    Raises TruncatedFile where nothing, or too little of the whole, can be decoded.
    """
    held, damaged = Fraction(0), Fraction(0)
    for part in joined_recordings(path):
        recording = _Recording(path, part, track)
        yield from recording.frames()
        held += recording.position
        damaged += recording.damaged
    if held == 0 or (damaged > MISSING_SECONDS and damaged > MISSING_SHARE * held):
        raise cut_off(path)


class _Recording:
    """One recording while it is decoded.

    Attributes:
        position: seconds yielded.
        damaged: those of them that were lost.
    """

    def __init__(self, path: Path, part: tuple[int, int | None], track: int | None) -> None:
        self.position = self.damaged = Fraction(0)
        self._path, self._part, self._track = path, part, track
        self._start: Fraction | None = None
        self._lost = False
        self._latest: AudioFrame | None = None

    def frames(self) -> Iterator[AudioFrame]:
        with open_media(self._path, self._part) as container:
            chosen = container.streams.audio[self._track : self._track + 1] if self._track is not None else ()
            stream = chosen[0] if chosen else sound_stream(container, self._path)
            counted = container.format.name in COUNTED_FORMATS
            longest = NEW_CLOCK_SECONDS if container.format.name in STREAMED_FORMATS else None
            for packet in read_packets(self._path, container, stream):
                try:
                    decoded = stream.decode(packet)
                except FFmpegError:
                    decoded, self._lost = [], True
                    if counted and self._latest is not None:
                        yield from self._silence(self._latest, _length(self._latest))
                for frame in decoded:
                    require_sound_format(self._path, frame.sample_rate, frame.layout.nb_channels)
                    if not counted:
                        yield from self._silence(frame, self._gap(frame, longest))
                    self._latest, self._lost = frame, False
                    self.position += _length(frame)
                    yield _clean(frame)

    def _gap(self, frame: AudioFrame, longest: int | None) -> Fraction:
        """Seconds between what was yielded and this frame."""
        if frame.pts is None or frame.time_base is None:
            return Fraction(0)
        moment = frame.pts * frame.time_base
        gap = Fraction(0) if self._start is None else moment - self._start - self.position
        if self._start is None or gap <= -REWOUND_SECONDS or (longest is not None and gap > longest):
            self._start = moment - self.position
            return Fraction(0)
        return gap if gap >= (_length(frame) / 2 if self._lost else GAP_SECONDS) else Fraction(0)

    def _silence(self, like: AudioFrame, seconds: Fraction) -> Iterator[AudioFrame]:
        rate = like.sample_rate
        remaining = round(seconds * rate)
        if self._lost:
            self.damaged += Fraction(remaining, rate)
        while remaining > 0:
            silence = _silent_frame(like, min(remaining, rate))
            self.position += _length(silence)
            remaining -= silence.samples
            yield silence


class _Timeline:
    """Frames of whatever format as samples of one rate and one or two channels, none too many and none too few.

    Attributes:
        duration: seconds of the frames so far, exact.
    """

    def __init__(self, sample_rate: int, channels: int, only: int | None = None) -> None:
        """Read nothing yet.

        Args:
            only: the one channel of two that is taken.
        """
        self.duration = Fraction(0)
        self._rate, self._channels, self._only = sample_rate, channels, only
        self._is_averaged = channels == 1 and only is None
        self._gain = np.float32(1)
        self._yielded = 0

    def samples(self, frames: Iterator[AudioFrame]) -> Iterator[NDArray[np.float32]]:
        resampler: AudioResampler | None = None
        setup: tuple[int, str, str] | None = None
        for frame in frames:
            if setup != (setup := (frame.sample_rate, frame.layout.name, frame.format.name)):
                yield from self._end_of_part(resampler)
                resampler = AudioResampler(format="flt", layout=self._layout(frame), rate=self._rate)
            assert resampler is not None
            self._gain = STEREO_TO_MEAN if frame.layout.nb_channels > 1 and self._is_averaged else np.float32(1)
            self.duration += _length(frame)
            for piece in resampler.resample(frame):
                yield self._counted(self._mixed(piece))
        yield from self._end_of_part(resampler)

    def _layout(self, frame: AudioFrame) -> str:
        return "mono" if frame.layout.nb_channels == 1 or self._is_averaged else "stereo"

    def _mixed(self, piece: AudioFrame) -> NDArray[np.float32]:
        held = piece.layout.nb_channels
        samples = piece.to_ndarray().reshape(-1, held).astype(np.float32, copy=False)
        if held == self._channels:
            return samples * self._gain
        return np.repeat(samples, 2, axis=1) if held == 1 else samples[:, self._only or 0, None]

    def _end_of_part(self, resampler: AudioResampler | None) -> Iterator[NDArray[np.float32]]:
        """Yield what the resampler still holds, and bring the count to what the time says."""
        if resampler is not None:
            for piece in resampler.resample(None):
                yield self._counted(self._mixed(piece))
            missing = round(self.duration * self._rate) - self._yielded
            if missing > 0:
                yield self._counted(np.zeros((missing, self._channels), np.float32))

    def _counted(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        room = max(0, round(self.duration * self._rate) - self._yielded)
        samples = samples[:room]
        self._yielded += len(samples)
        return samples


class _Phase:
    """Looks whether the two channels of the frames that pass cancel each other out."""

    def __init__(self) -> None:
        self._energy = np.zeros(2)
        self._audible = self._cancelled = 0.0

    @property
    def louder(self) -> int | None:
        """The channel to take alone; None where both can be averaged."""
        if self._cancelled < max(CANCELLED_SECONDS, CANCELLED_PART * self._audible):
            return None
        return int(np.argmax(self._energy))

    def watch(self, frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
        for frame in frames:
            if frame.layout.nb_channels == 2:
                self._look_at(frame)
            yield frame

    def _look_at(self, frame: AudioFrame) -> None:
        channels = _as_float(frame)
        energy, seconds = np.mean(channels**2, axis=1), float(_length(frame))
        self._energy += energy * seconds
        if energy.mean() > INAUDIBLE:
            self._audible += seconds
            if np.mean(channels.mean(axis=0) ** 2) < CANCELLED_SHARE * energy.mean():
                self._cancelled += seconds


def _as_float(frame: AudioFrame) -> NDArray[np.float64]:
    """Return the samples of a frame of two channels, (2, n), full scale = 1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, 2).T
    values = samples.astype(np.float64)
    match samples.dtype.kind:
        case "f":
            return values
        case "u":
            return values / 128 - 1
        case _:
            return values / 2.0 ** (8 * samples.dtype.itemsize - 1)


def _length(frame: AudioFrame) -> Fraction:
    return Fraction(frame.samples, frame.sample_rate)


def _silent_frame(like: AudioFrame, count: int) -> AudioFrame:
    silence = AudioFrame(format=like.format.name, layout=like.layout.name, samples=count)
    level = 128 if like.format.name.startswith("u8") else 0
    for plane in silence.planes:
        plane.update(bytes([level]) * plane.buffer_size)
    silence.sample_rate = like.sample_rate
    return silence


def _clean(frame: AudioFrame) -> AudioFrame:
    """Drop the timestamp, and replace what is not a finite number by silence."""
    frame.pts = None
    if frame.format.name[:3] not in ("flt", "dbl"):
        return frame
    samples = frame.to_ndarray()
    if np.isfinite(samples).all():
        return frame
    finite = np.where(np.isfinite(samples), samples, 0).astype(np.float32)
    clean = AudioFrame.from_ndarray(finite, format=f"flt{frame.format.name[3:]}", layout=frame.layout.name)
    clean.sample_rate = frame.sample_rate
    return clean
