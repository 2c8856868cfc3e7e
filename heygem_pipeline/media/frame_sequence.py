"""A presenter's video (or still picture) as a constant-rate sequence of frames, read forward and back."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import Protocol

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from heygem_pipeline.media.decode import Converter, frames_decoded_in_pieces, sample_frames
from heygem_pipeline.media.frame import BgrFrame, Frame, Pixels
from heygem_pipeline.media.packet_index import PacketIndex
from heygem_pipeline.media.probe import VideoInfo, examine_video
from heygem_pipeline.media.still import read_picture
from heygem_pipeline.media.timeline import count_frames, display_times, frames_on_display
from heygem_pipeline.media.trim import WHOLE, Trim, ticks_of_frames
from heygem_pipeline.settings import DEFAULTS, UploadLimits

BACKWARD_BYTES = 96 * 2**20
"""Decoded frames held at once while reading backward: 32 of 1080p, 72 of 720p (4:2:0, 8 bit)."""

SPILL_BYTES, SPILL_SHARE = 4 * 2**30, 4
"""A temporary file of at most 4 GiB (690 pictures of 1080p), and of a quarter of the free space, holds more where key
frames are rare: then each piece in memory would have all frames since the last key frame decoded again."""

DECODED_AT_MOST = 3
"""How often a frame may be decoded in one pass backward, on average, before a temporary file is the quicker way."""

Boxes = NDArray[np.integer]
"""(frames, 4): left, top, right, bottom of the part of each frame of the timeline that is wanted."""


class PictureMotion(Protocol):
    """What makes many frames of a still picture, the same ones whenever they are asked for."""

    @property
    def frame_count(self) -> int:
        """How many there are; the first one is the picture itself."""
        ...

    def part(self, index: int) -> tuple[int, int, Pixels] | None:
        """Left, top and pixels, BGR, of all that differs from the picture in a frame; None where nothing does."""
        ...


@dataclass(frozen=True)
class FrameSequence:
    """Frames are uint8 (height, width, 3) BGR, upright, with square pixels, and belong to the caller.

    ``frames()`` and ``presentation()`` may be called any number of times; every iterator opens the file for itself and
    closes it when it ends or is dropped.
    """

    info: VideoInfo
    index: PacketIndex | None
    times: NDArray[np.int64]
    """int64 (frame_count,): middle of each frame of the constant-rate timeline, ticks of the file."""
    converter: Converter = field(repr=False)
    limits: UploadLimits = field(default=DEFAULTS, repr=False)
    """What it was opened with: the timeline depends on it."""
    motion: PictureMotion | None = field(default=None, repr=False, compare=False)
    """Of a still picture that moves."""
    trim: Trim = WHOLE
    """The part of the file that it is made of."""

    @classmethod
    def open(cls, path: Path, limits: UploadLimits = DEFAULTS, trim: Trim = WHOLE) -> "FrameSequence":
        """Probe the file. Raises what ``probe_video`` raises, and NothingLeft.

        Args:
            trim: the part that is used of a video; a still picture has none.
        """
        info, index = examine_video(path, limits)
        if index is None:
            return cls(info, None, np.zeros(1, np.int64), Converter(info), limits, trim=trim)
        begin = int(index.timestamps[0])
        if not trim.is_whole:
            begin, seconds = ticks_of_frames(index, *trim.frames(index, path.name))
            count = count_frames(seconds, info.frame_rate)
            info = replace(info, frame_count=count, duration=count / info.frame_rate)
        times = display_times(info.frame_count, info.frame_rate, begin, index.time_base)
        return cls(info, index, times, Converter(info), limits, trim=trim)

    @property
    def beginning(self) -> Fraction:
        """When its first frame is shown, in seconds of the file's clock; 0 of a still picture."""
        if self.index is None:
            return Fraction(0)
        return int(self.index.timestamps[self.source_frames[0]]) * self.index.time_base

    def moved(self, motion: PictureMotion) -> "FrameSequence":
        """A still picture with the frames of a motion."""
        assert self.info.still
        count = motion.frame_count
        info = replace(self.info, frame_count=count, duration=count / self.info.frame_rate)
        return replace(self, info=info, motion=motion)

    def again(self) -> "FrameSequence":
        """The same, for another reader at the same time: without probing the file again."""
        return replace(self, converter=Converter(self.info))

    @property
    def frame_rate(self) -> Fraction:
        """Frames a second of the constant-rate timeline."""
        return self.info.frame_rate

    @property
    def source_frames(self) -> NDArray[np.int64]:
        """int64 (frame_count,): the file's frame behind each frame of the timeline; equals show the same picture."""
        if self.index is None:
            return np.arange(self.info.frame_count) if self.motion is not None else np.zeros(1, np.int64)
        return frames_on_display(self.index.timestamps, self.times)

    def frames(self, wanted: Boxes | None = None, exact: bool = True) -> Iterator[Pixels]:
        """Yield all frames once, forward. Raises TruncatedFile where too much cannot be decoded.

        Args:
            wanted: what lies outside may be black, which spares most of the work; default, all is wanted.
            exact: False, where a frame is only looked at: its colours are then off by a level, and it costs less.
        """
        if self.motion is not None and not exact:
            return self._looked_at(self.motion)
        converter = self.converter if exact else Converter(self.info, exact=False)
        return (_pixels(index, frame, wanted) for index, frame in self._forward(0, converter))

    def presentation(self, count: int, wanted: Boxes | None = None) -> Iterator[tuple[int, Pixels]]:
        """Yield (index in the timeline, frame) for ``count`` output frames: forward, back ... (``ping_pong``).

        Where key frames are rare, going back writes a temporary file (in ``tempfile.gettempdir()``, SPILL_BYTES at
        most); raises OSError if the disk fills up meanwhile.

        Args:
            wanted: as of ``frames``.
        """
        if self.info.frame_count == 1 and self.motion is None:
            picture = next(self.frames())
            return ((0, picture.copy()) for _ in range(count))
        return ((index, _pixels(index, frame, wanted)) for index, frame in self.shown(count))

    def shown(self, count: int) -> Iterator[tuple[int, Frame]]:
        """The same as ``presentation``, of frames whose pixels are converted where they are asked for."""
        return islice(self._endless(), count)

    def _endless(self) -> Iterator[tuple[int, Frame]]:
        last = self.info.frame_count - 1
        if last == 0:
            once = self._still()
            while True:
                yield 0, self.converter.restored(once)
        yield from self._forward(0, self.converter)
        while True:
            yield from self._backward(last - 1)
            yield from self._forward(1, self.converter)

    def _forward(self, first: int, converter: Converter) -> Iterator[tuple[int, Frame]]:
        if self.motion is not None:
            yield from self._moving(range(first, self.info.frame_count))
            return
        if self.index is None:
            yield 0, self._picture()
            return
        for offset, frame in enumerate(sample_frames(self.info.path, self.index, self.times[first:])):
            yield first + offset, converter.frame(frame)

    def _backward(self, last: int) -> Iterator[tuple[int, Frame]]:
        """Yield frames ``last`` .. 0, decoded forward in pieces that fit in BACKWARD_BYTES or a temporary file."""
        if self.motion is not None:
            yield from self._moving(range(last, -1, -1))
            return
        assert self.index is not None
        piece, read_back = max(1, BACKWARD_BYTES // self.info.decoded_bytes), self._through_memory
        decoded = frames_decoded_in_pieces(self.index, self.times[: last + 1], piece)
        spilled = spill_room() // (self.info.width * self.info.height * 3)
        if decoded > DECODED_AT_MOST * len(self.index.timestamps) and spilled > piece:
            piece, read_back = spilled, self._through_disk
        for end in range(last + 1, 0, -piece):
            start = max(0, end - piece)
            frames = sample_frames(self.info.path, self.index, self.times[start:end])
            yield from zip(range(end - 1, start - 1, -1), read_back(frames), strict=True)

    def _picture(self) -> Frame:
        return self.converter.restored(read_picture(self.info.path, (self.info.width, self.info.height)))

    def _still(self) -> Pixels:
        """A still picture as a clip stores it, or its pixels where its sides are odd."""
        frame = self._picture() if self.index is None else next(self._forward(0, self.converter))[1]
        return frame.yuv420p() if not (frame.size[0] % 2 or frame.size[1] % 2) else frame.stored()

    def _moving(self, indices: Iterable[int]) -> Iterator[tuple[int, Frame]]:
        """Frames of a picture that moves: what keeps still is converted once."""
        assert self.motion is not None
        once = self._still()
        for index in indices:
            frame = self.converter.restored(once)
            changed = self.motion.part(index)
            if changed is not None:
                frame.draw(*changed)
            yield index, frame

    def _looked_at(self, motion: PictureMotion) -> Iterator[Pixels]:
        """Frames of a picture that moves, as it is read: none of its pixels goes through the colours of a clip."""
        picture = self._picture().whole()
        for index in range(self.info.frame_count):
            frame, changed = picture.copy(), motion.part(index)
            if changed is not None:
                left, top, pixels = changed
                frame[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
            yield frame

    def _through_memory(self, frames: Iterator[VideoFrame]) -> Iterator[Frame]:
        held = list(frames)
        while held:
            yield self.converter.frame(held.pop())

    def _through_disk(self, frames: Iterator[VideoFrame]) -> Iterator[Frame]:
        with TemporaryFile() as spill:
            places: list[tuple[int, tuple[int, ...]]] = []
            for frame in frames:
                stored = self.converter.frame(frame).stored()
                places.append((spill.tell(), stored.shape))
                spill.write(stored.data)
            while places:
                place, shape = places.pop()
                spill.seek(place)
                stored = np.empty(shape, np.uint8)
                spill.readinto(stored.data)
                yield self.converter.restored(stored)


def _pixels(index: int, frame: Frame, wanted: Boxes | None) -> Pixels:
    """The pixels of a frame, at least of the part that is wanted."""
    if wanted is None or isinstance(frame, BgrFrame):
        return frame.whole()
    left, top, right, bottom = wanted[index].tolist()
    width, height = frame.size
    pixels = np.zeros((height, width, 3), np.uint8)
    if left < right and top < bottom:
        frame.put_part((left, top, right, bottom), pixels[top:bottom, left:right])
    return pixels


def spill_room() -> int:
    """Return how many bytes may go to a temporary file; none where there is no folder for one."""
    try:
        free = shutil.disk_usage(gettempdir()).free
    except OSError:
        return 0
    return min(SPILL_BYTES, free // SPILL_SHARE)
