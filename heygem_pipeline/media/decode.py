"""Decoding: the frame on display at each of a series of moments, and its pixels as 8-bit BGR."""

import os
from collections.abc import Generator, Iterator, Set
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from threading import Lock

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from heygem_pipeline.media.colour import colour_matrix, colour_range
from heygem_pipeline.media.deinterlace import deinterlaced
from heygem_pipeline.media.formats import cut_off, open_media, read_packets
from heygem_pipeline.media.frame import EXACT, BgrFrame, Frame, YuvConverter, YuvFrame
from heygem_pipeline.media.geometry import Orientation
from heygem_pipeline.media.packet_index import PacketIndex
from heygem_pipeline.media.probe import MISSING_SECONDS, MISSING_SHARE, VideoInfo, picture_stream
from heygem_pipeline.media.timeline import frames_on_display
from heygem_pipeline.media.tone_mapping import MAPPED_FORMAT, ColourMapper
from heygem_pipeline.media.transparency import decoder_of, has_transparency, on_white

DECODER_THREADS = min(4, os.cpu_count() or 1)
"""Each thread holds a frame, so that more would cost memory on large machines."""


SAME_SHAPE = Fraction(1, 50)
"""Widths to heights this near to each other are one shape: a call that changes its resolution rounds them."""


class Converter:
    """Turns decoded frames of one video into upright BGR pictures of one size."""

    def __init__(self, info: VideoInfo, exact: bool = True) -> None:
        """Make one for a video.

        Args:
            exact: as EXACT says; otherwise ten times as fast, for pictures that are looked at and never shown.
        """
        self._orientation = info.orientation
        upright = info.width, info.height
        self._size = upright[::-1] if info.orientation.swaps_sides else upright
        self._colours = info.colours
        self._stored_size = info.stored_size
        self._mapping = info.colour_mapping
        self._mappers: dict[tuple[int, int], ColourMapper] = {}
        self._accuracy = EXACT if exact else Interpolation(0)
        self._reformatter = VideoReformatter()
        self._lock = Lock()
        self._stored_like_a_clip = (
            exact
            and info.colour_mapping is None
            and info.orientation == Orientation()
            and info.stored_size == upright
            and not (info.width % 2 or info.height % 2)
        )
        self._of_clip: YuvConverter | None = None
        self._to_clip = YuvConverter()

    def frame(self, frame: VideoFrame) -> Frame:
        """Return the frame as one whose pixels are converted where they are asked for."""
        if not (self._stored_like_a_clip and self._is_like_a_clip(frame)):
            return BgrFrame(self(frame), self._to_clip)
        self._of_clip = self._of_clip or YuvConverter(frame)
        return YuvFrame.of_video(frame, self._of_clip)

    def restored(self, stored: NDArray[np.uint8]) -> Frame:
        """Return the frame that was ``stored``, or that is a picture's pixels."""
        if stored.ndim == 3:
            return BgrFrame(stored, self._to_clip)
        return YuvFrame.packed(stored, self._of_clip or self._to_clip)

    def _is_like_a_clip(self, frame: VideoFrame) -> bool:
        return (
            frame.format.name == "yuv420p"
            and (frame.width, frame.height) == self._size
            and colour_matrix(frame, self._colours) == Colorspace.ITU709
            and colour_range(frame) == ColorRange.MPEG
        )

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return uint8 (height, width, 3) BGR, a new array."""
        width, height = fitted = self._fitted(frame)
        resized = fitted != (frame.width, frame.height)
        transparent = self._mapping is None and has_transparency(frame)
        with self._lock:
            picture = self._reformatter.reformat(
                frame,
                width=width,
                height=height,
                format="bgra" if transparent else "bgr24" if self._mapping is None else MAPPED_FORMAT,
                src_colorspace=colour_matrix(frame, self._colours),
                src_color_range=colour_range(frame),
                dst_color_range=ColorRange.JPEG,
                interpolation=self._accuracy | (Interpolation.BICUBIC if resized else Interpolation.BILINEAR),
                threads=1,
            )
            if self._mapping is not None:
                if fitted not in self._mappers:
                    self._mappers[fitted] = ColourMapper(self._mapping, width, height)
                picture = self._mappers[fitted](picture)
        pixels = picture.to_ndarray().astype(np.uint8, copy=False)
        return self._orientation.apply(self._framed(on_white(pixels) if transparent else pixels))

    def _fitted(self, frame: VideoFrame) -> tuple[int, int]:
        """The size in which a frame is shown: the whole picture's, or what fits into it where it has another shape."""
        width, height = self._size
        stored_width, stored_height = self._stored_size
        across, down = Fraction(stored_width, frame.width), Fraction(stored_height, frame.height)
        if abs(across / down - 1) < SAME_SHAPE:
            return width, height
        share = min(across, down)
        return max(1, round(width * share / across)), max(1, round(height * share / down))

    def _framed(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put a picture of another shape in the middle, on black."""
        width, height = self._size
        if pixels.shape[:2] == (height, width):
            return pixels
        framed = np.zeros((height, width, 3), np.uint8)
        top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
        framed[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        return framed


def sample_frames(
    path: Path, index: PacketIndex, times: NDArray[np.int64], progressive: bool = False
) -> Iterator[VideoFrame]:
    """Yield, for each of the ascending times (ticks), the decoded frame on display then.

    Damaged frames are passed over: the one before stays on display. Before the first frame, the first is shown.

    Args:
        progressive: the video is known not to be interlaced. Then what is neither asked for nor needed to decode the
            rest is left out: in a clip of ours that is half of the other frames.

    Raises TruncatedFile where nothing, or too little of the whole, can be decoded.
    """
    wanted = frozenset(_on_display(index, times)) if progressive and index.timed else None
    for key in _entry_points(index, int(times[0])):
        with closing(_decode(path, index, key, wanted)) as whole:
            decoded = deinterlaced(whole, index.time_base)
            current = next(decoded, None)
            if current is None or (key is not None and _pts(current) > times[0]):
                continue
            upcoming = next(decoded, None)
            for time in times:
                while upcoming is not None and _pts(upcoming) <= time:
                    current, upcoming = upcoming, next(decoded, None)
                yield current
            return
    raise cut_off(path)


def _on_display(index: PacketIndex, times: NDArray[np.int64]) -> list[int]:
    """When the frames begin that are on display at these times."""
    return index.timestamps[frames_on_display(index.timestamps, times)].tolist()


def frames_decoded_in_pieces(index: PacketIndex, times: NDArray[np.int64], piece: int) -> int:
    """Return how many frames ``sample_frames`` decodes to show the times in pieces, cut from the end."""
    ends = np.arange(len(times), 0, -piece)
    starts = np.maximum(0, ends - piece)
    entries = index.timestamps[:1]
    if index.seekable:
        entries = np.concatenate([entries, index.key_timestamps[1:]])
    entry = entries[np.maximum(0, np.searchsorted(entries, times[starts], side="right") - 1)]
    read = np.searchsorted(index.timestamps, times[ends - 1], side="right")
    return int(np.sum(read - np.searchsorted(index.timestamps, entry)))


def _entry_points(index: PacketIndex, time: int) -> Iterator[int | None]:
    """Yield numbers of key frames to start decoding from, nearest first; None is the beginning of the file."""
    before = int(np.searchsorted(index.key_timestamps, time, side="right")) - 1
    if index.seekable:
        for key in (before, before - 1):
            if key > 0:
                yield key
    yield None


def _decode(path: Path, index: PacketIndex, key: int | None, wanted: Set[int] | None = None) -> Generator[VideoFrame]:
    """Yield whole frames in order of presentation, each with a timestamp, from a key frame on.

    After damage nothing is yielded until the next key frame, since what follows is built on what was lost.

    Args:
        wanted: timestamps; what is built on no other frame is left out where it has another one.
    """
    with open_media(path) as container:
        stream = picture_stream(container, path)
        decode = decoder_of(stream, DECODER_THREADS)
        if key is not None:
            try:
                container.seek(int(index.key_seeks[key]), stream=stream)
            except FFmpegError:
                return
        earliest = latest = None
        lost, position, whole = 0, 0, True
        for packet in read_packets(path, container, stream):
            if key is not None and earliest is None:
                if not packet.is_keyframe or packet.pts is None:
                    continue
                earliest = packet.pts
            if wanted is not None:
                stream.codec_context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
            try:
                frames = decode(packet)
            except FFmpegError:
                frames, whole, lost = [], False, lost + 1
            for frame in frames:
                if not index.timed:
                    frame.pts = int(index.timestamps[min(position, len(index.timestamps) - 1)])
                position += 1
                whole = whole or frame.key_frame
                lost += not whole
                if not whole or frame.pts is None or (latest is not None and frame.pts <= latest):
                    continue
                latest = frame.pts
                # Pictures shown before the key frame lean on frames that were not read.
                if earliest is None or frame.pts >= earliest:
                    yield frame
            share = Fraction(lost, len(index.timestamps))
            if share > MISSING_SHARE and share * index.duration > MISSING_SECONDS:
                raise cut_off(path)


def _pts(frame: VideoFrame) -> int:
    assert frame.pts is not None
    return frame.pts
