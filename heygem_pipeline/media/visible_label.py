"""The visible label "AI 生成 · AI generated" in a corner: the bottom right one, unless the mouth or chin is there.

GB 45438-2025 (in force in China since 2025-09-01) asks for characters at least 5 % of the shorter side high, shown for
at least 2 seconds. ``label.png`` is the text as alpha mask, drawn with Noto Sans CJK SC Bold (SIL Open Font License)
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from importlib.resources import files
from itertools import chain, islice

import numpy as np

from heygem_pipeline.media.frame import Frame
from heygem_pipeline.settings import SyntheticLabel

LABEL_SECONDS = 2
CHARACTER_SHARE = 0.054
"""Height of the characters 生成 as a share of the shorter side: the 5 % asked for, and rounding."""
CHARACTER_ROWS = 156 / 179
"""Height of 生成 as a share of the mask, which also holds the descender of the g."""
MARGIN_SHARE = 0.03
BACKING_OPACITY = 0.6
"""Behind white text on a white picture this leaves a contrast of 5.7 : 1; WCAG 2.2 asks for 4.5 : 1."""


Box = tuple[int, int, int, int]
"""Left, top, right and bottom, pixels."""


class VisibleLabel:
    """The label, sized for one clip's frames."""

    def __init__(self, width: int, height: int, keep_clear: Box | None = None) -> None:
        """Make a label.

        Args:
            width: of the frames.
            height: of the frames.
            keep_clear: what it should not cover. It goes to the first corner that is free: below right, below left,
                above right, above left; where none is, to the one that covers least.
        """
        import cv2

        stored = files("heygem_pipeline.media").joinpath("label.png").read_bytes()
        mask = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        shorter = min(width, height)
        margin = round(MARGIN_SHARE * shorter)
        padding = round(MARGIN_SHARE * shorter / 2)
        text_height = np.ceil(CHARACTER_SHARE * shorter) / CHARACTER_ROWS
        room = width - 2 * (margin + padding)
        scale = min(text_height / mask.shape[0], room / mask.shape[1])
        text_size = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
        text = cv2.resize(mask, text_size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        text = np.pad(text, 2 * padding)
        backing = np.zeros_like(text)
        if padding:
            backing[padding:-padding, padding:-padding] = BACKING_OPACITY
            backing = cv2.GaussianBlur(backing, (0, 0), padding / 2)
        else:
            backing[:] = BACKING_OPACITY
        rows, columns = min(text.shape[0], height), min(text.shape[1], width)
        far = max(0, height - margin + padding - rows), max(0, width - margin + padding - columns)
        near = min(max(0, margin - padding), height - rows), min(max(0, margin - padding), width - columns)
        corners = [(far[0], far[1]), (far[0], near[1]), (near[0], far[1]), (near[0], near[1])]

        def covered(corner: tuple[int, int]) -> int:
            return overlap((corner[1], corner[0], corner[1] + columns, corner[0] + rows), keep_clear)

        top, left = min(corners, key=covered)
        self._region = slice(top, top + rows), slice(left, left + columns)
        text, backing = text[:rows, :columns, None], backing[:rows, :columns, None]
        self._keep = (1 - backing) * (1 - text)
        self._add = 255 * text

    @property
    def region(self) -> Box:
        """What it covers."""
        rows, columns = self._region
        return columns.start, rows.start, columns.stop, rows.stop

    def draw(self, frame: Frame) -> Frame:
        """Draw the label on the frame, and return it."""
        rows, columns = self._region
        below = frame.part(columns.start, rows.start, columns.stop, rows.stop)
        frame.draw(columns.start, rows.start, np.rint(below * self._keep + self._add).astype(np.uint8))
        return frame


def labelled_frames(frame_rate: Fraction, frame_count: int, shown: SyntheticLabel) -> int:
    """How many frames of a clip show the label, from its first one on."""
    if shown is SyntheticLabel.OFF:
        return 0
    return frame_count if shown is SyntheticLabel.ALWAYS else min(frame_count, int(-(-LABEL_SECONDS * frame_rate // 1)))


def with_label(
    frames: Iterable[Frame], size: tuple[int, int], labelled: int, keep_clear: Box | None = None
) -> Iterator[Frame]:
    """Yield the frames of one clip, the first ``labelled`` of them with the label.

    Args:
        size: their width and height.
        keep_clear: what it should not cover.
    """
    frames = iter(frames)
    if not labelled:
        return frames
    label = VisibleLabel(*size, keep_clear)
    return chain(map(label.draw, islice(frames, labelled)), frames)


def overlap(one: Box, other: Box | None) -> int:
    """Pixels that two boxes share."""
    if other is None:
        return 0
    columns, rows = (min(one[side + 2], other[side + 2]) - max(one[side], other[side]) for side in (0, 1))
    return max(0, columns) * max(0, rows)
