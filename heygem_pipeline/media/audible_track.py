"""Which of several sound tracks is heard: screen recorders keep a silent microphone beside the sound of a call."""

from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from heygem_pipeline.media.formats import open_media, read_packets

AUDIBLE = 10 ** (-60 / 20)
"""Root mean square of a frame from which something is heard: -60 dBFS."""

AUDIBLE_SECONDS = 0.2
"""So much of it is no click."""


def audible_track(path: Path, part: tuple[int, int | None], order: list[int]) -> int:
    """Return the first of the tracks, in this order, on which something is heard; the first, if on none.

    Each is decoded only up to where it is heard.
    """
    return next((track for track in order if _is_heard(path, part, track)), order[0])


def _is_heard(path: Path, part: tuple[int, int | None], track: int) -> bool:
    heard = 0.0
    with open_media(path, part) as container:
        stream = container.streams.audio[track]
        resampler = AudioResampler(format="fltp", layout="stereo", rate=8000)
        for packet in read_packets(path, container, stream):
            try:
                for frame in (piece for decoded in stream.decode(packet) for piece in resampler.resample(decoded)):
                    heard += _heard_seconds(frame)
            except (FFmpegError, ValueError):
                continue
            if heard >= AUDIBLE_SECONDS:
                return True
    return False


def _heard_seconds(frame: AudioFrame) -> float:
    samples = frame.to_ndarray().astype(np.float32)
    level = float(np.sqrt(np.mean(samples**2))) if samples.size else 0.0
    return frame.samples / frame.sample_rate if np.isfinite(level) and level >= AUDIBLE else 0.0
