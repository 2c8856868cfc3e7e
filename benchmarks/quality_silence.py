"""Is the mouth quiet and steady where nobody speaks? Pauses, noise and music lie between pieces of real speech."""

from dataclasses import asdict, dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_closures import TOUCH_ASKED, lips_touch
from benchmarks.quality_footage import MadeClip, make_clip
from benchmarks.quality_mouth import asked_gap, read_output, sharp_gap
from benchmarks.quality_pauses import KINDS, SECONDS_NEEDED, InterruptedVoice, interrupt
from benchmarks.quality_run import Run, print_head, print_row
from heygem_pipeline.faces.head_frame import transform_points
from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.quality.sync_meter import picture_after_sound

SETTLING, LEADING = 0.3, 0.1
"""Seconds after speech in which the mouth may still close, and before it in which it may open; not counted."""

STAYS_CLOSED = 0.2
"""Seconds for which lips must stay together to have closed."""

Track = NDArray[np.float64]


@dataclass(frozen=True)
class Quiet:
    """One clip. Motion is IOD a second: mean absolute change of gap plus that of width from frame to frame.

    speech: motion while speech is heard. unspoken: by kind of sound, from 0.3 s after the last word. template: of the
    untouched template in the same frames: its own fidgeting and the noise of reading. asked: motion of the opening that
    the engine asks for, unspoken over speech. closing, closing_asked: seconds from the end of each piece of speech
    until the lips touch, in the output's pixels and as asked; infinite where they do not. tremble, tremble_template:
    mean absolute second difference of the mouth's 20 points where nobody speaks, IOD, read frame by frame.
    head_tremble, head_tremble_template: of the head's place, pixels.
    """

    presenter: str
    voice: str
    speech: float
    unspoken: dict[str, float]
    template: dict[str, float]
    asked: float
    closing: list[float]
    closing_asked: list[float]
    tremble: float
    tremble_template: float
    head_tremble: float
    head_tremble_template: float


def quiet_in_silence(run: Run) -> list[dict[str, object]]:
    """Mouth motion where nobody speaks over motion in speech, beside the untouched template's; time to close."""
    print_head(
        *("presenter", "voice", "speech, IOD/s"),
        *(f"{kind} (template)" for kind in KINDS),
        *("asked", "to close, ms", "asked, ms", "tremble (template), 1e-4 IOD", "head (template), px"),
    )
    found = []
    for speaker, presenter in run.one_voice_each(SECONDS_NEEDED):
        interrupted = interrupt(speaker.presenter.path, run.work)
        clip = make_clip(interrupted.voice, presenter, run.work / f"pauses.{presenter.path.stem}.mp4")
        quiet = measure_quiet(clip, interrupted, read_output(clip.path, presenter.tracks), speaker.name)
        found.append(quiet)
        _print_quiet(quiet)
    _print_summary(found)
    return [asdict(quiet) for quiet in found]


def measure_quiet(clip: MadeClip, interrupted: InterruptedVoice, output: FaceTracks, voice: str) -> Quiet:
    """Measure a finished clip of an interrupted voice."""
    tracks = clip.presenter.tracks
    times = np.arange(len(output)) / float(tracks.frame_rate) + picture_after_sound(clip.path)
    shown = np.array([ping_pong(frame, len(tracks)) for frame in range(len(output))])
    moved, own = _motion(output), _motion(tracks, shown)
    counted = [(start + SETTLING, stop - LEADING) for start, stop in interrupted.unspoken]
    asked = asked_gap(clip)
    asked_moved = _steps(asked, 1)
    touching = lips_touch(sharp_gap(output), tracks)
    ends = [end for _, end in interrupted.spoken]
    return Quiet(
        presenter=clip.presenter.path.stem,
        voice=voice,
        speech=_mean(moved, times, interrupted.spoken),
        unspoken={kind: _mean(moved, times, [piece]) for kind, piece in zip(KINDS, counted, strict=True)},
        template={kind: _mean(own, times, [piece]) for kind, piece in zip(KINDS, counted, strict=True)},
        asked=_mean(asked_moved, times, counted) / _mean(asked_moved, times, interrupted.spoken),
        closing=[_closing(touching, times, end) for end in ends],
        closing_asked=[_closing(asked <= TOUCH_ASKED, times, end) for end in ends],
        tremble=_mean(_steps(_mouth(output), 2), times, counted),
        tremble_template=_mean(_steps(_mouth(tracks)[shown], 2), times, counted),
        head_tremble=_mean(_steps(_head(output), 2), times, counted),
        head_tremble_template=_mean(_steps(_head(tracks)[shown], 2), times, counted),
    )


def _print_quiet(quiet: Quiet) -> None:
    print_row(
        quiet.presenter,
        quiet.voice[:18],
        f"{quiet.speech:.2f}",
        *(f"{quiet.unspoken[kind] / quiet.speech:.1%} ({quiet.template[kind] / quiet.speech:.1%})" for kind in KINDS),
        f"{quiet.asked:.1%}",
        ", ".join(f"{seconds * 1000:.0f}" for seconds in quiet.closing),
        ", ".join(f"{seconds * 1000:.0f}" for seconds in quiet.closing_asked),
        f"{quiet.tremble * 1e4:.0f} ({quiet.tremble_template * 1e4:.0f})",
        f"{quiet.head_tremble:.2f} ({quiet.head_tremble_template:.2f})",
    )


def _print_summary(found: list[Quiet]) -> None:
    over = [[(q.unspoken[kind] - q.template[kind]) / q.speech for q in found] for kind in KINDS]
    closing = [seconds for quiet in found for seconds in quiet.closing]
    asked = [seconds for quiet in found for seconds in quiet.closing_asked]
    print_row(
        *("**median (largest)**", "over the template", ""),
        *(f"{median(values):+.1%} ({max(values):+.1%})" for values in over),
        f"{median(q.asked for q in found):.1%} ({max(q.asked for q in found):.1%})",
        f"{median(closing) * 1000:.0f} ({max(closing) * 1000:.0f})",
        f"{median(asked) * 1000:.0f} ({max(asked) * 1000:.0f})",
        *("", ""),
    )


def _motion(tracks: FaceTracks, shown: NDArray[np.int64] | None = None) -> Track:
    """IOD a second from each frame to the next. shown: frames in the order they are played."""
    mouth = measure_mouth(tracks)
    values = np.stack([mouth.gap, mouth.width], axis=1).astype(np.float64)
    return 2 * _steps(values if shown is None else values[shown], 1) * float(tracks.frame_rate)


def _mouth(tracks: FaceTracks) -> Track:
    return transform_points(tracks.raw_head, tracks.landmarks)[:, 48:].reshape(len(tracks), -1)


def _head(tracks: FaceTracks) -> Track:
    """Where the middle between the eyes lies in the frame, pixels."""
    return np.stack([-np.linalg.inv(matrix[:, :2]) @ matrix[:, 2] for matrix in tracks.raw_head])


def _steps(values: Track, order: int) -> Track:
    """Mean absolute difference of an order at each frame; the last frames repeat."""
    steps = np.abs(np.diff(values, order, axis=0)).reshape(len(values) - order, -1).mean(axis=1)
    return np.pad(steps, (0, order), mode="edge")


def _mean(values: Track, times: Track, pieces: list[tuple[float, float]]) -> float:
    inside = np.any([(times >= start) & (times < stop) for start, stop in pieces], axis=0)
    return float(np.nanmean(values[inside]))


def _closing(touching: NDArray[np.bool_], times: Track, end: float) -> float:
    """Seconds after ``end`` from which the lips stay together for STAYS_CLOSED."""
    length = max(1, round(STAYS_CLOSED / float(times[1] - times[0])))
    for frame in np.flatnonzero(times >= end - 1e-6):
        if frame + length <= len(touching) and touching[frame : frame + length].all():
            return float(times[frame] - end)
    return float("inf")
