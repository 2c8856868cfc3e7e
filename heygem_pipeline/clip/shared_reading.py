"""One reading of a presenter's frames for two: the engine that draws, and whoever lays its patches on the frames."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from itertools import islice
from threading import Lock

from heygem_pipeline.media.frame import Frame, YuvFrame
from heygem_pipeline.media.frame_sequence import FrameSequence

KEPT_BYTES = 96 * 2**20
"""Of frames that the engine has read and nobody has composed yet: 72 of 720p, 32 of 1080p. Where an engine reads
further ahead, or frames are larger, both read for themselves."""


class SharedReading:
    """What an engine reads first is kept until it is composed; what is not kept is read again."""

    def __init__(self, sequence: FrameSequence) -> None:
        """Share the frames of a presenter.

        Args:
            sequence: from now on nobody else's.
        """
        self._sequence = sequence.again()
        self._kept: deque[tuple[int, Frame]] = deque()
        self._bytes = sequence.info.width * sequence.info.height * 3 // 2
        self._lock = Lock()
        self._begun, self._keeping = False, True
        known = {one.name: getattr(sequence, one.name) for one in fields(FrameSequence)}
        self.sequence: FrameSequence = _WatchedSequence(**known, reading=self)
        """For the engine: the same presenter, of whose frames the first presentation is kept."""

    def frames(self, count: int) -> Iterator[tuple[int, Frame]]:
        """Yield what ``presenter.shown`` yields; each frame is to be asked for when its patch is there."""
        for position in range(count):
            with self._lock:
                kept = self._kept.popleft() if self._kept else None
                self._keeping = self._keeping and kept is not None
            if kept is None:
                yield from islice(self._sequence.shown(count), position, None)
                return
            yield kept

    def watch(self, shown: Iterator[tuple[int, Frame]]) -> Iterator[tuple[int, Frame]]:
        """Pass on what an engine reads, and keep it if it reads for the first time."""
        with self._lock:
            first, self._begun = not self._begun, True
        for index, frame in shown:
            if first:
                self._keep(index, frame)
            yield index, frame

    def _keep(self, index: int, frame: Frame) -> None:
        with self._lock:
            # The pixels of other frames are the engine's own, which may write to them.
            room = (len(self._kept) + 1) * self._bytes <= KEPT_BYTES
            if self._keeping and room and isinstance(frame, YuvFrame):
                self._kept.append((index, frame.again()))
            else:
                self._keeping = False


@dataclass(frozen=True)
class _WatchedSequence(FrameSequence):
    reading: SharedReading | None = field(default=None, repr=False, compare=False)

    def shown(self, count: int) -> Iterator[tuple[int, Frame]]:
        """As ``FrameSequence.shown``."""
        assert self.reading is not None
        return self.reading.watch(super().shown(count))
