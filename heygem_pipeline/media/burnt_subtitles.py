"""Subtitles that are drawn into the picture, clear of the visible label and of the mouth."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.media.frame import Frame
from heygem_pipeline.media.subtitle_fonts import font_for, without_pictures
from heygem_pipeline.media.subtitles import Cue, SubtitleTrack, columns, wrapped
from heygem_pipeline.media.visible_label import BACKING_OPACITY, MARGIN_SHARE, Box, overlap

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

LETTER_SHARE = 0.05
"""Height of the letters as a share of the shorter side."""

SMALLEST_LETTERS = 10
"""Pixels; smaller ones cannot be read."""

WIDTH_SHARE = 0.92
"""Of the picture, for a line."""

LINE_HEIGHT = 1.25
"""Of a line, in heights of letters."""

_Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class _Drawn:
    keep: _Pixels
    add: _Pixels


@dataclass(frozen=True)
class _Place:
    """Where text stands: in the middle of left and right, its foot on the edge, or its head."""

    edge: int
    grows_down: bool
    left: int
    right: int


class BurntSubtitles:
    """The subtitles of one clip, all in one place."""

    def __init__(
        self,
        track: SubtitleTrack,
        size: tuple[int, int],
        font: "FreeTypeFont",
        lines: dict[Cue, list[str]],
        label: Box | None,
        keep_clear: Box | None,
    ) -> None:
        """Draw nothing yet. label: where the visible label lies. keep_clear: mouth and chin."""
        self._track, self._size, self._font, self._lines = track, size, font, lines
        self._padding = max(1, round(font.size * 0.3))
        self._height = round(font.size * LINE_HEIGHT)
        self._drawn: tuple[Cue, _Drawn, int, int] | None = None
        self._place = self._chosen_place(label, keep_clear)

    def _chosen_place(self, label: Box | None, keep_clear: Box | None) -> "_Place":
        """Below the face if that is free: in the middle, above the label, or beside it; else above the face."""
        width, height = self._size
        tallest = max(len(lines) for lines in self._lines.values()) * self._height + 2 * self._padding
        margin = round(MARGIN_SHARE * min(width, height))
        low = label is not None and label[1] > height // 2
        places = [_Place(height - margin, False, 0, width)]
        if label is not None and low:
            places.append(_Place(label[1] - margin // 2, False, 0, width))
            widest = max(self._font.getlength(line) for lines in self._lines.values() for line in lines)
            for left, right in ((margin, label[0] - margin // 2), (label[2] + margin // 2, width - margin)):
                if widest + 4 * self._padding <= right - left:
                    places.append(_Place(height - margin, False, left, right))
        places.append(_Place(margin, True, 0, width))
        if label is not None and not low:
            places.append(_Place(label[3] + margin // 2, True, 0, width))

        def covered(place: _Place) -> tuple[int, int]:
            top = place.edge if place.grows_down else place.edge - tallest
            side = round((1 - WIDTH_SHARE) / 2 * width) if place.right - place.left == width else 0
            box = place.left + side, top, place.right - side, top + tallest
            outside = max(0, -top) + max(0, top + tallest - height)
            return overlap(box, keep_clear) + outside * width, overlap(box, label)

        # Where nothing is free, the mouth counts before the label.
        free = [place for place in places if covered(place) == (0, 0)]
        return free[0] if free else min(places, key=covered)

    def on(self, frames: Iterable[Frame], frame_rate: Fraction) -> Iterator[Frame]:
        """Yield the frames, each with what is said while it is shown."""
        cues, at = self._track.cues, 0
        for number, frame in enumerate(frames):
            seconds = float(number / frame_rate)
            while at < len(cues) and cues[at].end <= seconds:
                at += 1
            if at < len(cues) and cues[at].begin <= seconds:
                self._draw(frame, cues[at])
            yield frame

    def _draw(self, frame: Frame, cue: Cue) -> None:
        if self._drawn is None or self._drawn[0] is not cue:
            self._drawn = cue, *self._picture(cue)
        _, drawn, left, top = self._drawn
        rows, wide = drawn.keep.shape[:2]
        below = frame.part(left, top, left + wide, top + rows)
        frame.draw(left, top, np.rint(below * drawn.keep + drawn.add).astype(np.uint8))

    def _picture(self, cue: Cue) -> tuple[_Drawn, int, int]:
        from PIL import Image, ImageDraw

        width, height = self._size
        lines = self._lines[cue]
        wide = round(max(self._font.getlength(line) for line in lines)) + 4 * self._padding
        wide, tall = min(wide, width), min(len(lines) * self._height + 2 * self._padding, height)
        mask = Image.new("L", (wide, tall))
        pen = ImageDraw.Draw(mask)
        for number, line in enumerate(lines):
            middle = self._padding + (number + 0.5) * self._height
            pen.text((wide / 2, middle), line, fill=255, font=self._font, anchor="mm")
        text = np.asarray(mask, np.float32)[:, :, None] / 255
        place = self._place
        top = place.edge if place.grows_down else place.edge - tall
        left = place.left + (place.right - place.left - wide) // 2
        top, left = min(max(0, top), height - tall), min(max(0, left), width - wide)
        keep = (1 - np.float32(BACKING_OPACITY)) * (1 - text)
        return _Drawn(keep.astype(np.float32), (255 * text).astype(np.float32)), left, top


def burnt_subtitles(
    track: SubtitleTrack, size: tuple[int, int], chosen: Path | None, label: Box | None, keep_clear: Box | None
) -> BurntSubtitles | None:
    """Return what draws them; None where no font has all characters, or letters that fit are too small."""
    width, height = size
    lines = {
        cue: wrapped(cue.text) if _too_wide(cue) else cue.text.split("\n") for cue in track.cues if cue.text.strip()
    }
    if not lines:
        return None
    kept = SubtitleTrack(tuple(lines), track.language)
    text = "".join(line for some in lines.values() for line in some)
    letters = max(SMALLEST_LETTERS, round(LETTER_SHARE * min(width, height)))
    font = font_for(text, letters, track.language, chosen)
    if font is None:
        return None
    widest = max(font.getlength(line) for some in lines.values() for line in some)
    room = WIDTH_SHARE * width - 4 * 0.3 * letters
    if widest > room:
        letters = int(letters * room / widest)
        if letters < SMALLEST_LETTERS:
            return None
        font = font.font_variant(size=letters)
    lines = {cue: [without_pictures(line, font) for line in some] for cue, some in lines.items()}
    return BurntSubtitles(kept, size, font, lines, label, keep_clear)


def _too_wide(cue: Cue) -> bool:
    from heygem_pipeline.media.subtitles import MOST_LINES, WIDEST_LINE

    lines = cue.text.split("\n")
    return len(lines) > MOST_LINES or any(columns(line) > WIDEST_LINE for line in lines)
