"""The part of a recording or video that is used: from a start to an end, without an editor."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import NothingLeft
from heygem_pipeline.media.packet_index import PacketIndex

THOUSANDTH = Fraction(1, 1000)
"""Seconds. A whole number of samples at every usual rate, so that all who cut there cut alike."""

LARGEST_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Trim:
    """Seconds of the file, whole thousandths. end: where it ends before; None, to the file's end."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    @staticmethod
    def of(start: float = 0.0, end: float | None = None) -> "Trim":
        """Of numbers as people write them. Raises ValueError where nothing can lie between them."""
        trim = Trim(_thousandths(start), None if end is None else _thousandths(end))
        if trim.start < 0 or (trim.end is not None and trim.end <= trim.start):
            raise ValueError(f"{start} to {end}")
        return trim

    @property
    def is_whole(self) -> bool:
        """Is all of the file used?"""
        return self == WHOLE

    @property
    def seconds(self) -> tuple[float, float]:
        """Start and end as numbers; infinite, where it goes to the file's end."""
        return float(self.start), inf if self.end is None else float(self.end)

    @property
    def written(self) -> str:
        """As versions and stored files have it: "2.5..40"; "" of the whole."""
        return "" if self.is_whole else f"{_plain(self.start)}..{'' if self.end is None else _plain(self.end)}"

    @staticmethod
    def read(written: str) -> "Trim":
        """What was ``written``."""
        if not written:
            return WHOLE
        start, _, end = written.partition("..")
        return Trim(Fraction(start), Fraction(end) if end else None)

    def seconds_of(self, length: Fraction, file: str) -> Fraction:
        """How long what is used of a recording is. Raises NothingLeft."""
        left = (length if self.end is None else min(length, self.end)) - self.start
        if left <= 0 and not self.is_whole:
            raise self.nothing_left(file, length)
        return left

    def samples(self, pieces: Iterable[NDArray[np.float32]], rate: int) -> Iterator[NDArray[np.float32]]:
        """The samples that are used of a recording's, which come in pieces."""
        start, stop = round(self.start * rate), None if self.end is None else round(self.end * rate)
        place = 0
        for piece in pieces:
            yield piece[max(0, start - place) : None if stop is None else max(0, stop - place)]
            place += len(piece)
            if stop is not None and place >= stop:
                return

    def frames(self, index: PacketIndex, file: str) -> tuple[int, int]:
        """The first frame of a video that is used, and the one after the last: those that begin at the start or later
        and before the end. Raises NothingLeft."""
        first, stop = self._frame_at(index, self.start), len(index.timestamps)
        if self.end is not None:
            stop = self._frame_at(index, self.end)
        if stop <= first:
            raise self.nothing_left(file, index.duration)
        return first, stop

    def _frame_at(self, index: PacketIndex, seconds: Fraction) -> int:
        # Less than a thousandth before it is at it: so a frame is found by the time that people read of it.
        ticks = max(Fraction(0), seconds - THOUSANDTH) / index.time_base
        return int(np.searchsorted(index.timestamps, int(index.timestamps[0]) + ceil(ticks)))

    def nothing_left(self, file: str, length: Fraction) -> NothingLeft:
        """The error where the file has nothing there."""
        end = float(length if self.end is None else self.end)
        return NothingLeft("trim.nothing_left", file=file, start=float(self.start), end=end, length=float(length))


WHOLE = Trim()


def ticks_of_frames(index: PacketIndex, first: int, stop: int) -> tuple[int, Fraction]:
    """When frames ``first`` to ``stop`` begin to be shown, in ticks, and for how many seconds they are."""
    begin = int(index.timestamps[first])
    end = int(index.timestamps[stop]) if stop < len(index.timestamps) else index.end
    return begin, (end - begin) * index.time_base


def _thousandths(seconds: float) -> Fraction:
    return Fraction(round(min(seconds, LARGEST_SECONDS) * 1000), 1000)


def _plain(seconds: Fraction) -> str:
    return f"{float(seconds):.3f}".rstrip("0").rstrip(".")
