"""A frame that is read and drawn on in BGR, in whichever way its pixels are stored.

Most videos are stored as a clip is: 4:2:0, BT.709, limited range. Of their frames only those parts are converted that
somebody looks at or draws on; all others keep their very values up to the encoder.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Protocol

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

Box = tuple[int, int, int, int]
"""Left, top, right, bottom of a part within a frame."""

EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
"""4:2:0 to BGR and back by swscale: 72 dB with these flags, 49 dB without (measured, 1080p)."""

MARGIN = 8
"""Pixels around a part that are converted with it: colours are stored for 2 x 2 pixels, and interpolated."""

SIDE_STEP, KINDS_KEPT = 32, 12
"""Parts are converted with sides that are multiples of it, so that few sizes occur, and a frame for each can be kept,
and what converts it: making them takes as long as converting it."""

SEED_SIDE = 16
"""Pixels of the small frame whose attributes others are given."""


class Frame(Protocol):
    """A frame; drawing on it never changes what it was made of."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        ...

    def whole(self) -> Pixels:
        """All pixels, (height, width, 3) BGR; not to be written to."""
        ...

    def part(self, left: int, top: int, right: int, bottom: int) -> Pixels:
        """The same of a part within the frame, a new array."""
        ...

    def put_part(self, box: Box, place: Pixels) -> None:
        """Write the same into an array of that size; a frame whose pixels are converted keeps them for drawing."""
        ...

    def draw(self, left: int, top: int, pixels: Pixels) -> None:
        """Lay pixels (rows, columns, 3) BGR, wholly within the frame, over it; what lies beside them stays as it is."""
        ...

    def yuv420p(self) -> Pixels:
        """What an encoder is given: luma, then both colours, 4:2:0, BT.709, limited range.

        Contiguous, (3/2 height, width), of even sides: an odd one is one pixel longer.
        """
        ...

    def stored(self) -> Pixels:
        """All that the frame is, contiguous: its pixels, or what ``yuv420p`` returns."""
        ...


class BgrFrame:
    """A frame whose pixels are BGR."""

    def __init__(self, pixels: Pixels, converter: "YuvConverter | None" = None) -> None:
        """Wrap pixels (height, width, 3), which are only read.

        Args:
            converter: shared by the frames of a video, which spares time.
        """
        self._pixels = pixels
        self._own = False
        self._converter = converter

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self._pixels.shape[1], self._pixels.shape[0]

    def whole(self) -> Pixels:
        """All pixels."""
        return self._pixels

    def part(self, left: int, top: int, right: int, bottom: int) -> Pixels:
        """Those of a part."""
        return self._pixels[top:bottom, left:right].copy()

    def put_part(self, box: Box, place: Pixels) -> None:
        """Write those of a part into an array."""
        left, top, right, bottom = box
        place[...] = self._pixels[top:bottom, left:right]

    def draw(self, left: int, top: int, pixels: Pixels) -> None:
        """Lay pixels over the frame."""
        if not self._own:
            self._pixels, self._own = self._pixels.copy(), True
        self._pixels[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels

    def yuv420p(self) -> Pixels:
        """The frame as an encoder is given it."""
        width, height = self.size
        pixels = self._pixels
        if width % 2 or height % 2:
            pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        return _pack((self._converter or YuvConverter()).to_yuv(pixels))

    def stored(self) -> Pixels:
        """All pixels, contiguous."""
        return np.ascontiguousarray(self._pixels)


class YuvFrame:
    """A frame of even sides whose pixels are stored as an encoder is given them."""

    def __init__(self, planes: Sequence[Pixels], converter: "YuvConverter") -> None:
        """Wrap planes, which are only read.

        Args:
            planes: luma (height, width) and both colours (height / 2, width / 2).
            converter: of the video, shared by its frames.
        """
        self._planes = planes
        self._converter = converter
        self._packed: Pixels | None = None
        self._looked_at = _LookedAt()

    @classmethod
    def of_video(cls, frame: VideoFrame, converter: "YuvConverter") -> "YuvFrame":
        """Wrap a decoded frame in yuv420p; it is held as long as this is."""
        return cls(_planes_of(frame), converter)

    @classmethod
    def packed(cls, pixels: Pixels, converter: "YuvConverter") -> "YuvFrame":
        """Wrap what ``yuv420p`` returned."""
        return cls(_planes(pixels), converter)

    def again(self) -> "YuvFrame":
        """The same frame, to be drawn on by somebody else."""
        if self._packed is not None:
            return YuvFrame(_planes(self._packed.copy()), self._converter)
        other = YuvFrame(self._planes, self._converter)
        other._looked_at = self._looked_at
        return other

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self._planes[0].shape[1], self._planes[0].shape[0]

    def whole(self) -> Pixels:
        """All pixels."""
        return np.ascontiguousarray(self._converter.to_bgr(self._planes))

    def part(self, left: int, top: int, right: int, bottom: int) -> Pixels:
        """Those of a part, the same to the bit as in the whole."""
        return self._converted((left, top, right, bottom)).copy()

    def put_part(self, box: Box, place: Pixels) -> None:
        """Write those of a part into an array, and keep them for whoever draws on it."""
        pixels = self._converted(box)
        self._looked_at.part = box, pixels
        place[...] = pixels

    def draw(self, left: int, top: int, pixels: Pixels) -> None:
        """Lay pixels over the frame."""
        if self._packed is None:
            self._packed = _pack(self._planes)
            self._planes = _planes(self._packed)
        bottom, right = top + pixels.shape[0], left + pixels.shape[1]
        x, y, end_x, end_y = self._around(left, top, right, bottom)
        around = np.zeros((end_y - y, end_x - x, 3), np.uint8)
        # Further away nothing counts, and of what lies below the pixels nothing is needed.
        near_x, near_end_x = max(x, left - MARGIN), min(end_x, right + MARGIN)
        near_y, near_end_y = max(y, top - MARGIN), min(end_y, bottom + MARGIN)
        for box in (
            (near_x, near_y, near_end_x, top),
            (near_x, bottom, near_end_x, near_end_y),
            (near_x, top, left, bottom),
            (right, top, near_end_x, bottom),
        ):
            if box[0] < box[2] and box[1] < box[3]:
                around[box[1] - y : box[3] - y, box[0] - x : box[2] - x] = self._converted(box)
        around[top - y : bottom - y, left - x : right - x] = pixels
        self._looked_at = _LookedAt()
        drawn = self._converter.to_yuv(around)
        self._planes[0][top:bottom, left:right] = drawn[0][top - y : bottom - y, left - x : right - x]
        # A colour is shared by 2 x 2 pixels; those at an odd edge are mixed of what is within and what beside it.
        rows, columns = slice(top // 2, (bottom + 1) // 2), slice(left // 2, (right + 1) // 2)
        for plane, new in zip(self._planes[1:], drawn[1:], strict=True):
            plane[rows, columns] = new[
                rows.start - y // 2 : rows.stop - y // 2, columns.start - x // 2 : columns.stop - x // 2
            ]

    def yuv420p(self) -> Pixels:
        """The frame as an encoder is given it."""
        return _pack(self._planes) if self._packed is None else self._packed

    def stored(self) -> Pixels:
        """The same."""
        return self.yuv420p()

    def _converted(self, box: Box) -> Pixels:
        """The pixels of a part, not to be written to."""
        left, top, right, bottom = box
        if self._looked_at.part is not None:
            (x, y, end_x, end_y), pixels = self._looked_at.part
            if x <= left and y <= top and right <= end_x and bottom <= end_y:
                return pixels[top - y : bottom - y, left - x : right - x]
        x, y, end_x, end_y = self._around(left, top, right, bottom)
        pixels = self._converter.to_bgr(_cut(self._planes, x, y, end_x, end_y))
        return pixels[top - y : bottom - y, left - x : right - x]

    def _around(self, left: int, top: int, right: int, bottom: int) -> tuple[int, int, int, int]:
        """A box of even places and sides that holds a part and its margin."""
        x, end_x = _widened(left, right, self.size[0])
        y, end_y = _widened(top, bottom, self.size[1])
        return x, y, end_x, end_y


class _LookedAt:
    """What was converted of a frame, for all that share its planes."""

    def __init__(self) -> None:
        self.part: tuple[Box, Pixels] | None = None


class YuvConverter:
    """4:2:0, BT.709, limited range to BGR and back, for the frames of one video."""

    def __init__(self, like: VideoFrame | None = None) -> None:
        """Make a converter.

        Args:
            like: a frame of the video. PyAV sets no chroma location, but keeps that of the frame another is made of.
        """
        self._seed = (like or VideoFrame(SEED_SIDE, SEED_SIDE, "yuv420p")).reformat(
            width=SEED_SIDE, height=SEED_SIDE, format="yuv420p"
        )
        self._kinds: dict[tuple[int, int, str], tuple[VideoFrame, VideoReformatter]] = {}
        self._lock = Lock()

    def to_bgr(self, planes: Sequence[Pixels]) -> Pixels:
        """Return (height, width, 3), the caller's own, of luma and both colours; rows may lie apart."""
        height, width = planes[0].shape
        with self._lock:
            frame, reformatter = self._kind(width, height, "yuv420p")
            for place, plane in zip(_planes_of(frame), planes, strict=True):
                place[...] = plane
            picture = reformatter.reformat(
                frame,
                format="bgr24",
                src_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG,
                interpolation=EXACT | Interpolation.BILINEAR,
                threads=1,
            )
        (plane,) = picture.planes
        return np.ndarray((height, width, 3), np.uint8, memoryview(plane), strides=(plane.line_size, 3, 1))

    def to_yuv(self, pixels: Pixels) -> list[Pixels]:
        """Return luma and both colours of BGR pixels (height, width, 3) of even sides."""
        height, width = pixels.shape[:2]
        with self._lock:
            frame, reformatter = self._kind(width, height, "bgr24")
            (place,) = _planes_of(frame)
            place.reshape(height, width, 3)[...] = pixels
            stored = reformatter.reformat(
                frame,
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
                interpolation=EXACT | Interpolation.BICUBIC,
                threads=1,
            )
        return _planes_of(stored)

    def _kind(self, width: int, height: int, pixel_format: str) -> tuple[VideoFrame, VideoReformatter]:
        """A frame like those of the video, to be filled, and what converts it; the kinds used last are kept."""
        kind = width, height, pixel_format
        kept = self._kinds.pop(kind, None)
        if kept is None:
            if len(self._kinds) == KINDS_KEPT:
                del self._kinds[next(iter(self._kinds))]
            kept = self._seed.reformat(width=width, height=height, format=pixel_format), VideoReformatter()
        self._kinds[kind] = kept
        return kept


def _planes_of(frame: VideoFrame) -> list[Pixels]:
    """Views of a frame's planes, (rows, bytes); they hold it."""
    bytes_a_column = 3 if frame.format.name == "bgr24" else 1
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            : plane.height, : plane.width * bytes_a_column
        ]
        for plane in frame.planes
    ]


def _widened(start: int, end: int, side: int) -> tuple[int, int]:
    """An even start and length that hold a stretch of a side and its margin."""
    wanted = end - start + 2 * MARGIN + 2
    length = min(side, -(-wanted // SIDE_STEP) * SIDE_STEP)
    start = min(max(0, start - MARGIN) // 2 * 2, side - length)
    return start, start + length


def _cut(planes: Sequence[Pixels], left: int, top: int, right: int, bottom: int) -> list[Pixels]:
    """A box of even places and sides of all planes."""
    luma, *colours = planes
    half = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
    return [luma[top:bottom, left:right], *(colour[half] for colour in colours)]


def _pack(planes: Sequence[Pixels]) -> Pixels:
    """Planes one after the other, (3/2 height, width), a new array."""
    height, width = planes[0].shape
    packed = np.empty((height * 3 // 2, width), np.uint8)
    for place, plane in zip(_planes(packed), planes, strict=True):
        place[...] = plane
    return packed


def _planes(packed: Pixels) -> list[Pixels]:
    """Views of the planes in what ``_pack`` returns."""
    height, width = packed.shape[0] * 2 // 3, packed.shape[1]
    flat, luma, colour = packed.reshape(-1), height * width, height * width // 4
    colours = [flat[start : start + colour].reshape(height // 2, width // 2) for start in (luma, luma + colour)]
    return [packed[:height], *colours]
