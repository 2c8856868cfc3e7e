"""A finished clip: frames and the upload's own sound as a streamable, marked MP4, which appears whole or not at all."""

import errno
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import BadInput, DiskFull, EncodingFailed
from heygem_pipeline.media.aigc import SyntheticMark, mark_tags, new_mark
from heygem_pipeline.media.burnt_subtitles import burnt_subtitles
from heygem_pipeline.media.encoder_options import encoder_options
from heygem_pipeline.media.ffmpeg_program import SoundInput, find_ffmpeg, running
from heygem_pipeline.media.frame import BgrFrame, Frame, YuvConverter
from heygem_pipeline.media.loudness import LoudnessMeter, amplified, gain_towards
from heygem_pipeline.media.probe import SoundInfo, probe_sound, probe_video
from heygem_pipeline.media.sound import resampled_sound
from heygem_pipeline.media.subtitles import SubtitleTrack, language_of_track, web_vtt
from heygem_pipeline.media.timeline import count_frames
from heygem_pipeline.media.visible_label import Box, VisibleLabel, labelled_frames, with_label
from heygem_pipeline.settings import DEFAULTS, RenderSettings, Subtitles
from heygem_pipeline.storage.atomic import atomic_path, disk_full, require_space

SOUND_RATE = 48000
"""Samples a second of the finished clip's AAC track."""

AAC_BLOCK = 1024
"""Samples of an AAC packet. The sound ends with a whole one, at most 11 ms from the end of the picture: where a part of
one ends, decoders do not agree."""

BITS_PER_PIXEL = 0.3
"""Room asked for before encoding. Talking heads at CRF 18 measured 0.02 to 0.15 bits a pixel."""

_NO_ROOM = {errno.ENOSPC: "No space left on device", errno.EDQUOT: "Disk quota exceeded"}
"""What ffmpeg prints for these numbers of the system; its exit status tells the number only from version 6.1 on."""


@dataclass(frozen=True)
class EncodedClip:
    """What was written, read back from the file.

    Attributes:
        size: (width, height) of the coded picture, even: an odd side is one pixel longer than the frames.
        duration: seconds.
        sound_duration: seconds.
        produce_id: the unique ProduceID of its AIGC mark.
        subtitles: how they are shown; a track where they could not be drawn.
        loudness: of the sound that was given to the encoder, LUFS; None where it cannot be measured.
        as_loud_as_asked: False, where that was so.
    """

    path: Path
    size: tuple[int, int]
    frame_rate: Fraction
    frame_count: int
    duration: Fraction
    sound_duration: Fraction
    bytes: int
    produce_id: str
    subtitles: Subtitles = Subtitles.NONE
    loudness: float | None = None
    as_loud_as_asked: bool = True


def encode_clip(
    frames: Iterable[Frame | NDArray[np.uint8]],
    *,
    frame_rate: Fraction,
    size: tuple[int, int],
    sound: Path | SoundInfo,
    duration: Fraction,
    destination: Path,
    made_with: RenderSettings = DEFAULTS,
    keep_clear: Box | None = None,
    progress: Callable[[int], None] | None = None,
    examine: Callable[[Path], None] | None = None,
    subtitles: SubtitleTrack | None = None,
    keep_text_clear: Box | None = None,
    synthetic_voice: str = "",
) -> EncodedClip:
    """Encode H.264 high 4:2:0 (BT.709, limited range) with the main sound track of ``sound`` as AAC.

    What ``frames`` raises passes through.

    Args:
        frames: exactly round(duration x frame_rate), or their pixels, uint8 (height, width, 3) BGR.
        size: their (width, height).
        sound: the upload, or what was probed of it; its sound starts with the first frame and is cut or padded with
            silence to the frames' length.
        duration: seconds of the speech.
        made_with: its quality, label and mark, its encoder, and the limits of files.
        keep_clear: where the visible label should not lie.
        progress: called with the number of frames written so far.
        subtitles: what is said; how they are shown, its settings say.
        keep_text_clear: where burnt subtitles should not lie.
        synthetic_voice: engine and voice where nobody spoke what is heard; the mark says it.
        examine: called with the whole file before it appears at ``destination``; if it raises, it does not appear.

    Raises:
        DiskFull: Not enough space, found before the work or while writing.
        EncodingFailed: The encoder stopped, or what it wrote does not hold what it should.
        EncoderMissing: The encoder of the settings does not work on this machine.
        FfmpegMissing: No usable ffmpeg program.
        BadInput: As ``probe_sound`` raises it. Nothing is left behind on any error.
    """
    info = probe_sound(sound, made_with) if isinstance(sound, Path) else sound
    frame_count = count_frames(duration, frame_rate)
    width, height = size
    require_space(destination, int(width * height * frame_count * BITS_PER_PIXEL / 8) + 2**24)
    checked = _checked(frames, size, frame_count, destination)
    label = VisibleLabel(*size, keep_clear) if labelled_frames(frame_rate, frame_count, made_with.label) else None
    labelled = with_label(checked, size, labelled_frames(frame_rate, frame_count, made_with.label), keep_clear)
    track = subtitles.until(float(frame_count / frame_rate)) if subtitles is not None else None
    shown = Subtitles.NONE if track is None or not track.cues else made_with.subtitles
    if shown is Subtitles.BURNT and track is not None:
        region = label.region if label is not None else None
        burnt = burnt_subtitles(track, size, made_with.subtitle_font, region, keep_text_clear)
        labelled, shown = (labelled, Subtitles.SOFT) if burnt is None else (burnt.on(labelled, frame_rate), shown)
    produce_id = uuid4().hex
    channels = min(2, info.channels)

    def as_it_is() -> Iterator[NDArray[np.float32]]:
        return resampled_sound(info, SOUND_RATE, channels)

    asked = made_with.loudness
    gain = None if asked is None else gain_towards(asked, as_it_is)
    meter = LoudnessMeter()
    samples = meter.watch(as_it_is() if gain is None else amplified(as_it_is(), gain))
    with atomic_path(destination) as temporary, SoundInput(samples) as heard, TemporaryDirectory() as folder:
        soft = _written(track, Path(folder)) if track is not None and shown is Subtitles.SOFT else None
        mark = new_mark(produce_id, made_with, synthetic_voice)
        arguments = _arguments(frame_rate, frame_count, size, heard.url, channels, temporary, made_with, mark, soft)
        _write(labelled, arguments, heard, destination, progress)
        clip = _read_back(temporary, destination, frame_rate, frame_count, produce_id, made_with, shown)
        if examine is not None:
            examine(temporary)
        reached = meter.reading.integrated
        return replace(clip, loudness=reached, as_loud_as_asked=asked is None or gain is not None)


def _arguments(
    frame_rate: Fraction,
    frame_count: int,
    size: tuple[int, int],
    sound: str,
    channels: int,
    output: Path,
    made_with: RenderSettings,
    mark: SyntheticMark,
    soft: tuple[Path, str] | None,
) -> list[str]:
    even = [side + side % 2 for side in size]
    picture = ffmpeg.input(
        "pipe:0", format="rawvideo", pixel_format="yuv420p", video_size=even, framerate=str(frame_rate)
    ).video
    picture = picture.filter(
        "setparams", range="limited", color_primaries="bt709", color_trc="bt709", colorspace="bt709"
    )
    voice = ffmpeg.input(sound, f="f32le", ar=SOUND_RATE, ac=channels).audio
    blocks = round(frame_count / frame_rate * SOUND_RATE / AAC_BLOCK)
    voice = voice.filter("apad").filter("atrim", end_sample=max(1, blocks) * AAC_BLOCK)
    tags = mark_tags(mark)
    options = {
        **encoder_options(made_with),
        "profile:v": "high",
        "color_range": "tv",
        "colorspace": "bt709",
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "c:a": "aac",
        "b:a": made_with.audio_bitrate,
        "r": str(frame_rate),
        "f": "mp4",
        "movflags": "+faststart+use_metadata_tags",
        "map_metadata": "-1",
        **{f"metadata:g:{number}": f"{key}={value}" for number, (key, value) in enumerate(tags.items())},
    }
    inputs = [picture, voice]
    if soft is not None:
        file, language = soft
        inputs.append(ffmpeg.input(f"file:{file}", f="webvtt"))
        options |= {"c:s": "mov_text", "metadata:s:s:0": f"language={language}"}
    graph = ffmpeg.output(*inputs, f"file:{output.absolute()}", **options)
    graph = graph.global_args("-hide_banner", "-nostats", "-loglevel", "error").overwrite_output()
    return [str(argument) for argument in ffmpeg.compile(graph, cmd=str(find_ffmpeg(made_with.ffmpeg)))]


def _written(track: SubtitleTrack, folder: Path) -> tuple[Path, str]:
    """The file that the clip's own track is made of, and how an MP4 names its language."""
    file = folder / "subtitles.vtt"
    file.write_text(web_vtt(track.cues), encoding="utf-8")
    return file, language_of_track(track.language)


def _checked(
    frames: Iterable[Frame | NDArray[np.uint8]], size: tuple[int, int], frame_count: int, destination: Path
) -> Iterator[Frame]:
    """Pass the frames on, exactly as many as there should be."""
    width, height = size
    count = 0
    converter = YuvConverter()
    for count, given in enumerate(frames, start=1):
        if isinstance(given, np.ndarray):
            fits, kind, shape = given.shape == (height, width, 3) and given.dtype == np.uint8, given.dtype, given.shape
        else:
            fits, kind, shape = given.size == size, "frame", given.size
        if not fits:
            raise EncodingFailed(
                "encoding.other_frame",
                file=destination.name,
                frame=count,
                kind=str(kind),
                shape=str(shape),
                width=width,
                height=height,
            )
        if count > frame_count:
            raise EncodingFailed("encoding.too_many_frames", file=destination.name, frames=frame_count)
        yield BgrFrame(given, converter) if isinstance(given, np.ndarray) else given
    if count < frame_count:
        raise EncodingFailed("encoding.too_few_frames", file=destination.name, given=count, frames=frame_count)


def _write(
    frames: Iterator[Frame],
    arguments: list[str],
    sound: SoundInput,
    destination: Path,
    progress: Callable[[int], None] | None,
) -> None:
    with running(arguments, sound) as run:
        for count, frame in enumerate(frames, start=1):
            try:
                run.stdin.write(frame.yuv420p().data)
            except BrokenPipeError:
                break
            if progress is not None:
                progress(count)
        status = run.finish()
        if sound.failure is not None:
            raise sound.failure
        if status:
            raise _failure(run.messages, status, destination)


def _failure(messages: str, status: int, destination: Path) -> DiskFull | EncodingFailed:
    if any(words in messages for words in _NO_ROOM.values()):
        return disk_full(destination)
    if not messages:
        return EncodingFailed("encoding.exit_status", file=destination.name, status=status)
    return EncodingFailed("encoding.failed", file=destination.name, reason=messages.splitlines()[-1])


def _read_back(
    written: Path,
    destination: Path,
    frame_rate: Fraction,
    frame_count: int,
    produce_id: str,
    made_with: RenderSettings,
    shown: Subtitles,
) -> EncodedClip:
    try:
        picture, sound = probe_video(written, made_with), probe_sound(written, made_with)
    except (BadInput, FileNotFoundError) as error:
        raise EncodingFailed("encoding.not_read_back", file=destination.name) from error
    held = picture.packet_count
    apart = abs(sound.duration - Fraction(frame_count) / frame_rate)
    if held != frame_count or apart >= 1 / frame_rate or (picture.codec, sound.codec) != ("h264", "aac"):
        raise EncodingFailed(
            "encoding.other_content",
            file=destination.name,
            held=held,
            frames=frame_count,
            seconds=float(apart),
            picture=picture.codec,
            sound=sound.codec,
        )
    return EncodedClip(
        path=destination,
        size=(picture.width, picture.height),
        frame_rate=frame_rate,
        frame_count=frame_count,
        duration=frame_count / frame_rate,
        sound_duration=sound.duration,
        bytes=written.stat().st_size,
        produce_id=produce_id,
        subtitles=shown,
    )
