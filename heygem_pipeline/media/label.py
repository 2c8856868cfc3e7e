"""The visible label "AI 生成 · AI generated" in the bottom right corner.

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


class VisibleLabel:
    """The label, sized for one clip's frames."""

    def __init__(self, width: int, height: int) -> None:
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
        bottom, right = height - margin + padding, width - margin + padding
        top, left = max(0, bottom - text.shape[0]), max(0, right - text.shape[1])
        self._region = slice(top, min(bottom, height)), slice(left, min(right, width))
        rows, columns = self._region[0].stop - top, self._region[1].stop - left
        text, backing = text[:rows, :columns, None], backing[:rows, :columns, None]
        self._keep = (1 - backing) * (1 - text)
        self._add = 255 * text

    def draw(self, frame: Frame) -> Frame:
        """Draw the label on the frame, and return it."""
        rows, columns = self._region
        below = frame.part(columns.start, rows.start, columns.stop, rows.stop)
        frame.draw(columns.start, rows.start, np.rint(below * self._keep + self._add).astype(np.uint8))
        return frame


def with_label(
    frames: Iterable[Frame], width: int, height: int, frame_rate: Fraction, shown: SyntheticLabel
) -> Iterator[Frame]:
    """Yield the frames of one clip, labelled from the start for 2 seconds, always or never."""
    frames = iter(frames)
    if shown is SyntheticLabel.OFF:
        return frames
    label = VisibleLabel(width, height)
    if shown is SyntheticLabel.ALWAYS:
        return map(label.draw, frames)
    count = -(-LABEL_SECONDS * frame_rate // 1)
    return chain(map(label.draw, islice(frames, int(count))), frames)
