"""Decoding: the frame on display at each of a series of moments, and its pixels as 8-bit BGR."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from heygem_pipeline.errors import TruncatedFile
from heygem_pipeline.media.formats import open_media
from heygem_pipeline.media.geometry import colour_matrix, colour_range
from heygem_pipeline.media.packet_index import PacketIndex
from heygem_pipeline.media.probe import VideoInfo, picture_stream

DECODER_THREADS = min(4, os.cpu_count() or 1)
"""Each thread holds a frame, so that more would cost memory on large machines."""


class Converter:
    """Turns decoded frames of one video into upright BGR pictures of one size."""

    def __init__(self, info: VideoInfo) -> None:
        self._orientation = info.orientation
        upright = info.width, info.height
        self._size = upright[::-1] if info.orientation.swaps_sides else upright
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return uint8 (height, width, 3) BGR, a new array."""
        width, height = self._size
        picture = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="bgr24",
            src_colorspace=colour_matrix(frame),
            src_color_range=colour_range(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )
        return self._orientation.apply(picture.to_ndarray().copy())


def sample_frames(path: Path, index: PacketIndex, times: NDArray[np.int64]) -> Iterator[VideoFrame]:
    """Yield, for each of the ascending times (ticks), the decoded frame on display then.

    Damaged frames are passed over: the one before stays on display. Before the first frame, the first is shown.
    Raises TruncatedFile where nothing can be decoded.
    """
    for key in _entry_points(index, int(times[0])):
        with closing(_decode(path, index, key)) as decoded:
            current = next(decoded, None)
            if current is None or (key is not None and _pts(current) > times[0]):
                continue
            upcoming = next(decoded, None)
            for time in times:
                while upcoming is not None and _pts(upcoming) <= time:
                    current, upcoming = upcoming, next(decoded, None)
                yield current
            return
    raise TruncatedFile(f"{path.name} is cut off or damaged; copy or upload it again.")


def _entry_points(index: PacketIndex, time: int) -> Iterator[int | None]:
    """Yield numbers of key frames to start decoding from, nearest first; None is the beginning of the file."""
    before = int(np.searchsorted(index.key_timestamps, time, side="right")) - 1
    if index.seekable:
        for key in (before, before - 1):
            if key > 0:
                yield key
    yield None


def _decode(path: Path, index: PacketIndex, key: int | None) -> Iterator[VideoFrame]:
    """Yield frames in order of presentation, each with a timestamp, from a key frame on."""
    with open_media(path) as container:
        stream = picture_stream(container, path)
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = DECODER_THREADS
        earliest: int | None = None
        if key is not None:
            try:
                container.seek(int(index.key_seeks[key]), stream=stream)
            except av.error.FFmpegError:
                return
        latest: int | None = None
        position = 0
        for packet in _packets(container, stream):
            if key is not None and earliest is None and packet.size:
                if not packet.is_keyframe or packet.pts is None:
                    continue
                earliest = packet.pts
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in frames:
                if not index.seekable:
                    frame.pts = int(index.timestamps[min(position, len(index.timestamps) - 1)])
                position += 1
                pts = frame.pts
                # Pictures before the key frame in presentation lean on frames that were not read.
                if pts is None or (earliest is not None and pts < earliest) or (latest is not None and pts <= latest):
                    continue
                latest = pts
                yield frame


def _packets(container: InputContainer, stream):  # noqa: ANN001, ANN202
    demuxer = container.demux(stream)
    while True:
        try:
            yield next(demuxer)
        except (StopIteration, av.error.FFmpegError):
            return


def _pts(frame: VideoFrame) -> int:
    assert frame.pts is not None
    return frame.pts
