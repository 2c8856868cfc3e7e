"""Interlaced frames made whole: of lines that were recorded at two moments, those of the first moment count."""

from collections.abc import Iterator
from fractions import Fraction

from av.error import BlockingIOError, EOFError
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame


class Deinterlacer:
    """Passes frames on, a frame behind. Only frames whose stream says that they are interlaced are changed (bwdif)."""

    def __init__(self, like: VideoFrame, time_base: Fraction) -> None:
        graph = Graph()
        graph.threads = 1
        pixels = VideoFormat(like.format.name, like.width, like.height)
        source = graph.add_buffer(width=like.width, height=like.height, format=pixels, time_base=time_base)
        filtered = graph.add("bwdif", mode="send_frame", parity="auto", deint="interlaced")
        sink = graph.add("buffersink")
        source.link_to(filtered)
        filtered.link_to(sink)
        graph.configure()
        self._graph = graph
        self._time_base = time_base
        self._kind = _kind(like)

    def fits(self, frame: VideoFrame) -> bool:
        """Is it a frame of the same size and format?"""
        return _kind(frame) == self._kind

    def push(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """Yield the frames that are finished by this one; None: by the end."""
        if frame is None:
            self._graph.push(None)
        else:
            frame.time_base = self._time_base
            self._graph.push(frame)
        while True:
            try:
                finished = self._graph.pull()
            except (BlockingIOError, EOFError):
                return
            assert isinstance(finished, VideoFrame) and finished.pts is not None and finished.time_base is not None
            # The filter counts in half ticks.
            finished.pts = round(finished.pts * finished.time_base / self._time_base)
            finished.time_base = self._time_base
            yield finished


def deinterlaced(frames: Iterator[VideoFrame], time_base: Fraction) -> Iterator[VideoFrame]:
    """Yield the frames of a video, each with a timestamp, without the combs of interlaced ones."""
    filtering: Deinterlacer | None = None
    for frame in frames:
        if filtering is not None and not filtering.fits(frame):
            yield from filtering.push(None)
            filtering = None
        if filtering is None and frame.interlaced_frame:
            filtering = Deinterlacer(frame, time_base)
        if filtering is None:
            yield frame
        else:
            yield from filtering.push(frame)
    if filtering is not None:
        yield from filtering.push(None)


def _kind(frame: VideoFrame) -> tuple[str, int, int]:
    return frame.format.name, frame.width, frame.height
