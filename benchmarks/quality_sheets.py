"""Strips to look at: mouths of consecutive frames, the real speaker's above, the presenter's and the clip's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_footage import MadeClip, Speaker, frame_count, frames_of, make_clip
from benchmarks.quality_mouth import seen_gap
from benchmarks.quality_run import Run
from benchmarks.quality_speech import speaker_curve
from heygem_pipeline.clip.voice import analyse_voice
from heygem_pipeline.demo.presenters import make_presenters
from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.faces.head_frame import HeadFrame, pixel_areas
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.quality.sync_meter import picture_after_sound
from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.storage.atomic import atomic_path

ZOOM = 3
"""Of the presenter's pixels; the speaker's mouth is brought to the same size."""

MIDDLE, SIDE = 1.12, 1.5
"""IOD: how far the middle of a picture lies below the eyes, and its side: nose to chin."""

DEMO_MOMENTS = (10, 60, 150)
"""First frames of the strips of the demo's clips."""

COLUMNS = 6
FRAMES = 24

Picture = NDArray[np.uint8]


def sheets(run: Run) -> list[dict[str, object]]:
    """Strips of every pair, where the speaker's mouth moves most, and of the demo's presenters, who may be shown."""
    run.sheets.mkdir(parents=True, exist_ok=True)
    for speaker, presenter in run.pairs() + run.speaking_presenters():
        clip = run.clip(speaker, presenter)
        write_strip(clip, run.sheets / f"{presenter.path.stem}.{speaker.name}.png", _liveliest(clip, speaker), speaker)
    demo = run.work / "demo"
    demo.mkdir(exist_ok=True)
    for path, recording in zip(make_presenters(demo), copy_recordings(demo), strict=True):
        presenter = run.footage.presenter(path)
        clip = make_clip(analyse_voice(recording), presenter, run.work / f"{recording.stem}.{path.stem}.mp4")
        for first in DEMO_MOMENTS:
            write_strip(clip, run.sheets / f"{path.stem}.{recording.stem}.{first}.png", first)
    return []


def write_strip(clip: MadeClip, destination: Path, first: int, speaker: Speaker | None = None) -> None:
    """Write a PNG of FRAMES frames from ``first`` on: rows of the speaker, the presenter and the output."""
    tracks = clip.presenter.tracks
    count = min(FRAMES, frame_count(clip.voice, clip.presenter) - first)
    shown = [ping_pong(frame, len(tracks)) for frame in range(first, first + count)]
    unit = float(np.nanmedian(1 / np.sqrt(pixel_areas(tracks.head))))
    side = round(ZOOM * SIDE * unit)
    rows: dict[str, list[Picture]] = {}
    if speaker is not None:
        times = np.arange(first, first + count) / float(tracks.frame_rate) + picture_after_sound(clip.path)
        rows["speaker"] = mouths(speaker_frames(speaker, times), side)
    rows["template"] = mouths(((frame, tracks, at) for frame, at in _chosen(clip.presenter.open(), shown)), side)
    output = zip(frames_of(clip.path, first, first + count), shown, strict=True)
    rows["output"] = mouths(((frame, tracks, at) for frame, at in output), side)
    write_rows(rows, [f"{first + place}" for place in range(count)], destination)


def _liveliest(clip: MadeClip, speaker: Speaker) -> int:
    """The frame from which on the speaker's mouth moves most."""
    rate = float(clip.presenter.tracks.frame_rate)
    moved = np.abs(np.diff(speaker_curve(speaker, len(clip.voice.speech.activity), seen_gap)))
    window = round(FRAMES / rate * FEATURE_RATE)
    start = int(np.argmax(np.convolve(np.nan_to_num(moved), np.ones(window), "valid")))
    return min(int(start / FEATURE_RATE * rate), frame_count(clip.voice, clip.presenter) - FRAMES)


def mouths(faces: Iterator[tuple[Picture, FaceTracks, int]], side: int) -> list[Picture]:
    """Square pictures of the mouths of frames, each with its tracks and its place in them."""
    return [cut_mouth(frame, tracks.head_frame(at), side) for frame, tracks, at in faces]


def cut_mouth(frame: Picture, head: HeadFrame, side: int, reach: float = SIDE) -> Picture:
    """Nose to chin, upright as the frame is, ``reach`` IOD wide in ``side`` pixels; black without a face."""
    import cv2

    if not np.isfinite(head.matrix).all():
        return np.zeros((side, side, 3), np.uint8)
    middle = head.to_pixels(np.array([0.0, MIDDLE]))
    zoom = side * head.scale / reach
    place = np.array([[zoom, 0, side / 2 - zoom * middle[0]], [0, zoom, side / 2 - zoom * middle[1]]])
    flags = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA
    return np.asarray(cv2.warpAffine(frame, place, (side, side), flags=flags), np.uint8)


def write_rows(rows: dict[str, list[Picture]], labels: list[str], destination: Path) -> None:
    """Write pictures in blocks of COLUMNS, each block with one row a kind."""
    import cv2

    blocks = []
    for start in range(0, len(labels), COLUMNS):
        for kind, pictures in rows.items():
            row = []
            for picture, label in zip(pictures[start : start + COLUMNS], labels[start:], strict=False):
                cell = picture.copy()
                cv2.putText(cell, f"{kind} {label}", (8, 32), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 255, 0), 2)
                row.append(cell)
            row += [np.zeros_like(row[0])] * (COLUMNS - len(row))
            blocks.append(np.concatenate(row, axis=1))
    with atomic_path(destination) as temporary:
        cv2.imwrite(str(temporary), np.concatenate(blocks))


def speaker_frames(speaker: Speaker, times: NDArray[np.float64]) -> Iterator[tuple[Picture, FaceTracks, int]]:
    """The speaker's frames in which is seen what is heard at ``times`` (seconds of the sound)."""
    tracks = speaker.presenter.tracks
    seconds = times - speaker.lag - picture_after_sound(speaker.presenter.path)
    wanted = np.clip(np.rint(seconds * float(tracks.frame_rate)).astype(int), 0, len(tracks) - 1)
    for frame, at in _chosen(speaker.presenter.open(), wanted.tolist()):
        yield frame, tracks, at


def _chosen(sequence: FrameSequence, wanted: list[int]) -> Iterator[tuple[Picture, int]]:
    """Frames of a presenter in the order asked for, read once."""
    needed = set(wanted)
    held = {at: frame for at, frame in enumerate(_until(sequence, max(needed))) if at in needed}
    for at in wanted:
        yield held[at], at


def _until(sequence: FrameSequence, last: int) -> Iterator[Picture]:
    for at, frame in enumerate(sequence.frames()):
        yield frame
        if at == last:
            return
