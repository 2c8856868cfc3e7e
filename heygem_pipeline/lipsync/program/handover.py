"""The files that a program is given: the presenter's frames as video, the voice as WAV."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray

from heygem_pipeline.media.frame import Frame
from heygem_pipeline.media.wave_file import write_wave
from heygem_pipeline.storage.atomic import NO_ROOM, disk_full

QUANTISER = "1"
"""Of x264: some 60 dB. Lossless H.264 is a profile that not every reader knows."""


def write_video(path: Path, frames: Iterable[Frame], rate: Fraction) -> None:
    """Write frames as H.264 at a constant rate, nearly without loss, its first frame at 0. Raises DiskFull."""
    with _room(path), av.open(str(path), "w") as container:
        options = {"qp": QUANTISER, "preset": "veryfast", "bf": "0", "g": "25"}
        stream = container.add_stream("libx264", rate=rate, options=options)
        assert isinstance(stream, VideoStream)
        for number, frame in enumerate(frames):
            packed = frame.yuv420p()
            if number == 0:
                stream.width, stream.height, stream.pix_fmt = packed.shape[1], packed.shape[0] * 2 // 3, "yuv420p"
                stream.codec_context.color_range = ColorRange.MPEG
                stream.codec_context.colorspace = Colorspace.ITU709
            picture = av.VideoFrame.from_ndarray(packed, format="yuv420p")
            picture.pts, picture.time_base = number, 1 / rate
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def write_sound(path: Path, samples: NDArray[np.floating], rate: int) -> None:
    """Write mono samples, -1..1, as 16-bit WAV. Raises DiskFull."""
    with _room(path):
        write_wave(path, samples, rate)


@contextmanager
def _room(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, FFmpegError) as error:
        if getattr(error, "errno", None) in NO_ROOM:
            raise disk_full(path) from error
        raise
