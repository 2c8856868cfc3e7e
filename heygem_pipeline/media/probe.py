"""What a file of sound or picture holds, found without decoding it whole."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from heygem_pipeline.errors import NoPicture, NoSoundTrack, NotMedia
from heygem_pipeline.media.audible_track import audible_track
from heygem_pipeline.media.colour import ColourTags, colour_mapping
from heygem_pipeline.media.dolby_vision import is_dolby_vision_alone
from heygem_pipeline.media.formats import check_content, cut_off, open_media, read_packets
from heygem_pipeline.media.geometry import Orientation, orientation_of, square_size
from heygem_pipeline.media.joined_recordings import joined_recordings
from heygem_pipeline.media.packet_index import PacketIndex, index_packets
from heygem_pipeline.media.still import picture_size
from heygem_pipeline.media.timeline import STILL_RATE, constant_rate, count_frames, is_variable
from heygem_pipeline.media.tone_mapping import ColourMapping
from heygem_pipeline.media.trim import WHOLE, Trim
from heygem_pipeline.media.upload_limits import require_length, require_size, scaled_down
from heygem_pipeline.media.wave_file import share_promised
from heygem_pipeline.settings import DEFAULTS, UploadLimits

SELF_DESCRIBING = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "flv", "flac", "aiff", "wav")
"""Containers whose header says how long they are, so that a cut-off file shows."""

MISSING_SHARE, MISSING_SECONDS = Fraction(1, 10), Fraction(1, 2)
"""A file is refused as cut off when both this share and this many seconds of what its header promises are missing."""


SLOWEST_SOUND, FASTEST_SOUND = 1000, 768_000
"""Samples a second."""

MOST_CHANNELS = 64
"""As many as FFmpeg's resampler takes."""


@dataclass(frozen=True)
class VideoInfo:
    """A presenter as it is shown.

    Attributes:
        width: pixels, upright and with square pixels.
        height: pixels, upright and with square pixels.
        stored_size: (width, height) in the file.
        frame_rate: of the constant-rate timeline.
        frame_count: of the constant-rate timeline.
        duration: seconds, of the constant-rate timeline.
        orientation: how a stored frame is turned upright.
        variable_rate: the file's own timestamps are irregular.
        still: one picture, which may be shown for any time.
        packet_count: frames in the file itself.
        decoded_bytes: size of one of them, decoded.
        colours: what the container says of them.
        colour_mapping: how they become BT.709's; None where they are that.
    """

    path: Path
    width: int
    height: int
    stored_size: tuple[int, int]
    orientation: Orientation
    frame_rate: Fraction
    frame_count: int
    duration: Fraction
    has_sound: bool
    still: bool
    codec: str
    variable_rate: bool
    packet_count: int
    decoded_bytes: int
    colours: ColourTags
    colour_mapping: ColourMapping | None


@dataclass(frozen=True)
class SoundInfo:
    """A voice.

    Attributes:
        duration: seconds of the chosen track as its packets tell, exact to about one packet; ``read_sound`` tells
            exactly.
        container: FFmpeg's name of the demuxer.
        track: which of the ``tracks`` sound tracks is taken, from 0.
        trim: the part of it that is used; ``duration`` is that of the whole.
    """

    path: Path
    duration: Fraction
    sample_rate: int
    channels: int
    codec: str
    container: str
    track: int
    tracks: int
    trim: Trim = WHOLE


def probe_video(path: Path, limits: UploadLimits = DEFAULTS) -> VideoInfo:
    """Tell what a presenter's video or still picture holds.

    Raises EmptyFile, UnsafeFile, NotMedia, NoPicture, TruncatedFile, TooLong, TooLarge.
    """
    return examine_video(path, limits)[0]


def examine_video(path: Path, limits: UploadLimits = DEFAULTS) -> tuple[VideoInfo, PacketIndex | None]:
    """``probe_video``, and the index of the frames (None for a still picture)."""
    check_content(path)
    size = picture_size(path)
    if size is not None:
        return _still_info(path, size, limits), None
    if is_dolby_vision_alone(path):
        raise NotMedia("picture.dolby_vision", file=path.name)
    with open_media(path) as container:
        stream = picture_stream(container, path)
        # What the header says, before anything is decoded; the first frame is asked again.
        require_size(path, stream.codec_context.width, stream.codec_context.height, limits)
        index = _whole_index(path, container, stream, limits)
    with open_media(path) as container:
        return _video_info(path, container, index, limits), index


def probe_sound(path: Path, limits: UploadLimits = DEFAULTS) -> SoundInfo:
    """Tell what a voice's file holds; a video serves, its sound is taken.

    Raises EmptyFile, UnsafeFile, NotMedia, NoSoundTrack, TruncatedFile, TooLong.
    """
    check_content(path)
    if picture_size(path) is not None:
        raise NoSoundTrack("sound.of_a_picture", file=path.name)
    parts = joined_recordings(path)
    track = _chosen_track(path, parts[0])
    first = _sound_info(path, parts[0], track, limits)
    duration = first.duration + sum(_sound_info(path, part, track, limits).duration for part in parts[1:])
    require_length(path, duration, limits.max_minutes)
    return replace(first, duration=duration)


def _chosen_track(path: Path, part: tuple[int, int | None]) -> int:
    """The main track, or, where that is silent, the first on which something is heard."""
    with open_media(path, part) as container:
        main = sound_stream(container, path)
        tracks = list(container.streams.audio)
        usable = [number for number, track in enumerate(tracks) if track.codec_context is not None]
        order = sorted(usable, key=lambda number: tracks[number] is not main)
    return audible_track(path, part, order) if len(order) > 1 else order[0]


def _sound_info(path: Path, part: tuple[int, int | None], track: int, limits: UploadLimits) -> SoundInfo:
    with open_media(path, part) as container:
        tracks = container.streams.audio
        stream = tracks[track] if track < len(tracks) else sound_stream(container, path)
        context = stream.codec_context
        require_sound_format(path, context.sample_rate, context.channels)
        index = _whole_index(path, container, stream, limits)
        return SoundInfo(
            path=path,
            duration=index.duration,
            sample_rate=context.sample_rate,
            channels=context.channels,
            codec=context.name,
            container=container.format.name.split(",")[0],
            track=container.streams.audio.index(stream),
            tracks=len(container.streams.audio),
        )


def require_sound_format(path: Path, sample_rate: int, channels: int) -> None:
    """Refuse what no recorder writes, and would take memory without end. Raises NotMedia."""
    if not (SLOWEST_SOUND <= sample_rate <= FASTEST_SOUND and 0 < channels <= MOST_CHANNELS):
        raise NotMedia("sound.impossible", file=path.name, rate=sample_rate, channels=channels)


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the video track the file marks as its main one, else the first; the cover picture of a song is none.

    Raises NoPicture.
    """
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    readable = [stream for stream in container.streams.video if stream.codec_context is not None]
    tracks = [stream for stream in readable if not stream.disposition & covers]
    if not tracks:
        raise NoPicture("picture.missing", file=path.name)
    return next((track for track in tracks if track.disposition & Disposition.default), tracks[0])


def sound_stream(container: InputContainer, path: Path) -> AudioStream:
    """Return the sound track the file marks as its main one, else the first. Raises NoSoundTrack."""
    tracks = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not tracks:
        raise NoSoundTrack("sound.missing", file=path.name)
    return next((track for track in tracks if track.disposition & Disposition.default), tracks[0])


def _still_info(path: Path, size: tuple[int, int], limits: UploadLimits) -> VideoInfo:
    width, height = scaled_down(*size, limits)
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        stored_size=size,
        orientation=Orientation(),
        frame_rate=STILL_RATE,
        frame_count=1,
        duration=1 / STILL_RATE,
        has_sound=False,
        still=True,
        codec="picture",
        variable_rate=False,
        packet_count=1,
        decoded_bytes=width * height * 3,
        colours=ColourTags(),
        colour_mapping=None,
    )


def _video_info(path: Path, container: InputContainer, index: PacketIndex, limits: UploadLimits) -> VideoInfo:
    stream = picture_stream(container, path)
    colours = ColourTags.of_container(stream)
    frame = _first_frame(container, stream, path)
    orientation = orientation_of(frame)
    width, height = square_size(frame.width, frame.height, stream.sample_aspect_ratio)
    if orientation.swaps_sides:
        width, height = height, width
    require_size(path, width, height, limits)
    frame_rate = constant_rate(index.timestamps, index.time_base, limits.max_frame_rate)
    frame_count = count_frames(index.duration, frame_rate) if len(index.timestamps) > 1 else 1
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        stored_size=(frame.width, frame.height),
        orientation=orientation,
        frame_rate=frame_rate,
        frame_count=frame_count,
        duration=frame_count / frame_rate,
        has_sound=bool(container.streams.audio),
        still=False,
        codec=stream.codec_context.name,
        variable_rate=is_variable(index.timestamps, index.time_base, frame_rate),
        packet_count=len(index.timestamps),
        decoded_bytes=sum(plane.buffer_size for plane in frame.planes),
        colours=colours,
        colour_mapping=colour_mapping(frame, colours),
    )


def _first_frame(container: InputContainer, stream: VideoStream, path: Path) -> VideoFrame:
    damage: Exception | None = None
    for packet in read_packets(path, container, stream):
        try:
            for frame in stream.decode(packet):
                return frame
        except FFmpegError as error:
            damage = error
    raise cut_off(path) from damage


def _whole_index(
    path: Path, container: InputContainer, stream: VideoStream | AudioStream, limits: UploadLimits
) -> PacketIndex:
    """Index a stream that is neither cut off nor too long. Raises TruncatedFile, TooLong."""
    index = index_packets(path, container, stream)
    if index is None:
        raise cut_off(path)
    _require_whole(path, container, stream, index)
    require_length(path, index.duration, limits.max_minutes)
    return index


def _require_whole(
    path: Path, container: InputContainer, stream: VideoStream | AudioStream, index: PacketIndex
) -> None:
    if container.format.name not in SELF_DESCRIBING:
        return
    promised, held = Fraction(0), index.duration
    if container.format.name == "wav":
        promised = held * share_promised(path)
    elif stream.duration and stream.time_base:
        promised = stream.duration * stream.time_base
    elif container.duration:
        promised, held = Fraction(container.duration, av.time_base), index.container_end
    missing = promised - held
    if missing > MISSING_SECONDS and missing > MISSING_SHARE * promised:
        raise cut_off(path)
