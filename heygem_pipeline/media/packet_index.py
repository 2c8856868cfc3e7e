"""What the packets of a track say: when each frame is presented and from where it can be decoded. No decoding."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from heygem_pipeline.media.formats import read_packets

SPARSELY_TIMED = ("mpeg1video", "mpeg2video")
"""Codecs that in MPEG streams give some frames no time of their own: what is derived for them differs after a seek."""

SOUGHT_BY_PRESENTATION = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""Demuxers that find a key frame by its presentation time and, asked for its decoding time, give the one before.
Asked so, MPEG-TS and FLV give the one after (measured, H.264 with B-frames)."""


@dataclass(frozen=True)
class PacketIndex:
    """One pass over the packets. Ticks are ``time_base`` seconds.

    Attributes:
        timestamps: int64 (frames,), presentation time of every frame, sorted, ticks.
        key_timestamps: int64 (key frames,), presentation time of every key frame.
        key_seeks: int64 (key frames,), the tick to seek to for it.
        end: tick at which the last frame stops being shown.
        timed: every frame carries a presentation time.
        seekable: a place can be found again by it.
        container_end: seconds from the first timestamp of the file to the end of its last packet of any track.
    """

    timestamps: NDArray[np.int64]
    key_timestamps: NDArray[np.int64]
    key_seeks: NDArray[np.int64]
    end: int
    time_base: Fraction
    timed: bool
    seekable: bool
    container_end: Fraction

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame to the end of the last."""
        return (self.end - int(self.timestamps[0])) * self.time_base


def index_packets(path: Path, container: InputContainer, stream: VideoStream | AudioStream) -> PacketIndex | None:
    """Read all packets of a freshly opened container; None where the track holds no frame.

    A read error ends the pass: what was read until then counts.
    """
    presented: list[int | None] = []
    decoded: list[int] = []
    keys: list[tuple[int, int]] = []
    by_presentation = container.format.name in SOUGHT_BY_PRESENTATION
    last_duration = 0
    file_start = Fraction(0)
    ends: dict[int, tuple[int, Fraction]] = {}
    if container.start_time is not None:
        file_start = Fraction(container.start_time, av.time_base)
    for packet in read_packets(path, container):
        moment = packet.pts if packet.pts is not None else packet.dts
        if moment is None or not packet.size or packet.is_discard:
            continue
        track, end = packet.stream_index, moment + (packet.duration or 0)
        # In ticks: exact seconds of every packet would take longer than all else.
        if track not in ends:
            ends[track] = end, packet.time_base
        elif end > ends[track][0]:
            ends[track] = end, ends[track][1]
        if track != stream.index:
            continue
        dts = moment if packet.dts is None else packet.dts
        presented.append(packet.pts)
        decoded.append(dts)
        last_duration = packet.duration or last_duration
        if packet.is_keyframe:
            keys.append((moment, moment if by_presentation else min(moment, dts)))
    if not presented or stream.time_base is None:
        return None
    known = [pts for pts in presented if pts is not None]
    timed = len(known) == len(presented)
    timestamps = np.unique(np.array(known if timed else decoded, np.int64))
    keys.sort()
    step = int(np.median(np.diff(timestamps))) if len(timestamps) > 1 else max(1, last_duration)
    return PacketIndex(
        timestamps=timestamps,
        key_timestamps=np.array([pts for pts, _ in keys], np.int64),
        key_seeks=np.array([seek for _, seek in keys], np.int64),
        end=int(timestamps[-1]) + (last_duration if step <= 2 * last_duration <= 4 * step else step),
        time_base=stream.time_base,
        timed=timed,
        seekable=timed and container.format.name != "mpeg" and stream.codec_context.name not in SPARSELY_TIMED,
        container_end=max(Fraction(0), *(end * base for end, base in ends.values())) - file_start,
    )
