"""A voice's samples: one track, one channel, one rate, with the time kept where packets are damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from numpy.typing import NDArray

from heygem_pipeline.media.formats import cut_off, open_media, read_packets
from heygem_pipeline.media.probe import MISSING_SECONDS, MISSING_SHARE, SoundInfo, probe_sound, sound_stream
from heygem_pipeline.settings import DEFAULTS, UploadLimits

GAP_SECONDS = Fraction(1, 10)
"""Jumps in the timestamps from here on become silence, as in ffmpeg's aresample; smaller ones are rounding."""

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


def read_sound(
    path: Path, sample_rate: int = 16000, limits: UploadLimits = DEFAULTS, probed: SoundInfo | None = None
) -> Sound:
    """Read the main sound track of a file, mixed to one channel and resampled.

    probed: what ``probe_sound`` says of it, where that is known.
    Raises EmptyFile, UnsafeFile, NotMedia, NoSoundTrack, TruncatedFile, TooLong.
    """
    if probed is None:
        probe_sound(path, limits)
    duration = Fraction(0)
    pieces: list[NDArray[np.float32]] = []
    resampler: AudioResampler | None = None
    setup: tuple[int, str, str] | None = None
    for frame in sound_frames(path):
        duration += Fraction(frame.samples, frame.sample_rate)
        if setup != (setup := (frame.sample_rate, frame.layout.name, frame.format.name)):
            pieces += _flush(resampler)
            resampler = AudioResampler(format="flt", layout="mono", rate=sample_rate)
        assert resampler is not None
        gain = STEREO_TO_MEAN if frame.layout.nb_channels > 1 else np.float32(1)
        pieces += [piece.to_ndarray()[0] * gain for piece in resampler.resample(frame)]
    pieces += _flush(resampler)
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    count = round(duration * sample_rate)
    samples = np.pad(samples[:count], (0, max(0, count - len(samples))))
    return Sound(np.clip(samples, -1, 1).astype(np.float32), sample_rate, duration)


def sound_frames(path: Path) -> Iterator[AudioFrame]:
    """Yield the decoded main track without gaps and without timestamps; damaged stretches are silent.

    Raises TruncatedFile where nothing, or too little of the whole, can be decoded.
    """
    position, silent = Fraction(0), Fraction(0)
    start: Fraction | None = None
    with open_media(path) as container:
        stream = sound_stream(container, path)
        for packet in read_packets(container, stream):
            try:
                frames = stream.decode(packet)
            except FFmpegError:
                continue
            for frame in frames:
                if frame.pts is not None and frame.time_base is not None:
                    moment = frame.pts * frame.time_base
                    start = moment - position if start is None else start
                    gap = moment - start - position
                    if gap >= GAP_SECONDS:
                        silence = _silence(frame, gap)
                        position += Fraction(silence.samples, frame.sample_rate)
                        silent += gap
                        yield silence
                position += Fraction(frame.samples, frame.sample_rate)
                yield _clean(frame)
    if (start is None and position == 0) or (silent > MISSING_SECONDS and silent > MISSING_SHARE * position):
        raise cut_off(path)


def _flush(resampler: AudioResampler | None) -> list[NDArray[np.float32]]:
    return [piece.to_ndarray()[0] for piece in resampler.resample(None)] if resampler else []


def _silence(like: AudioFrame, seconds: Fraction) -> AudioFrame:
    layout, count = like.layout.name, round(seconds * like.sample_rate)
    silence = AudioFrame(format=like.format.name, layout=layout, samples=count)
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
