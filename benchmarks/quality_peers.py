"""Ours beside other systems: presenters who are driven by their own sound, so that their own clip is the truth.

A folder ``peers/<presenter>`` of the footage holds ``input.mp4`` and what other systems made of it (``musetalk.mp4``
...), frame by frame alike. Where it holds ``voice.wav`` the presenter says something else, and only strips are made.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_closures import SAID, count_closures, lips_touch
from benchmarks.quality_footage import MadeClip, Speaker, cut_voice, frames_of, make_clip
from benchmarks.quality_mouth import read_output, seen_gap, seen_width, sharp_gap
from benchmarks.quality_picture import FACE, MOUTH, box_of, mouth_over_face
from benchmarks.quality_run import Run, print_head, print_row
from benchmarks.quality_sheets import SIDE, Picture, cut_mouth, write_rows
from benchmarks.quality_speech import LAGS, opening_span, speaker_curve
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.faces.shot_detection import grey
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.quality.sync_meter import picture_after_sound
from heygem_pipeline.speech.cross_correlation import correlation_at_lags

OURS = "ours"
STRIP_EVERY = 3
"""Every third frame is shown in a strip, all through the clip."""

STRIP_SIDE = 330
LONGEST = 84
"""Frames of a strip at most."""


@dataclass(frozen=True)
class PeerFigures:
    """One system on one presenter, against the presenter's own clip.

    gap, gap_at_once: correlation of the opening at its best lag and at none. width: of the mouth's width, at its best.
    opens: how far the mouth opens, over the truth's. closures, touched, falsely_closed: see ``quality_closures``, the
    last as a share of the time in which the true mouth is clearly open. sharpness: of the mouth over the face, against
    the truth's. face, mouth: mean absolute difference to the truth, luma levels. flicker: change from frame to frame
    around the mouth, over the truth's.
    """

    presenter: str
    system: str
    gap: float
    gap_at_once: float
    width: float
    opens: float
    closures: int
    touched: int
    falsely_closed: float
    sharpness: float
    face: float
    mouth: float
    flicker: float


def beside_others(run: Run) -> list[dict[str, object]]:
    """Strips of every system on every presenter, and figures where the truth is known."""
    folders = sorted(path.parent for path in (run.footage.folder / "peers").glob("*/input.mp4"))
    if not folders:
        print("no folder peers in the footage: left out")
    found: list[PeerFigures] = []
    run.sheets.mkdir(parents=True, exist_ok=True)
    for folder in folders:
        presenter = run.footage.presenter(folder / "input.mp4", folder.name)
        voice = _voice(folder, run.work)
        ours = make_clip(voice, presenter, run.work / f"peers.{folder.name}.mp4")
        videos = {path.stem: path for path in sorted(folder.glob("*.mp4")) if path.stem != "input"}
        videos[OURS] = ours.path
        _write_strip(presenter, videos, run.sheets / f"peers.{folder.name}.png")
        if not (folder / "voice.wav").exists():
            found += [_measure(folder.name, name, path, ours) for name, path in videos.items()]
    _print(found)
    return [asdict(figures) for figures in found]


def _voice(folder: Path, work: Path) -> Voice:
    spoken = folder / "voice.wav"
    return analyse_voice(spoken) if spoken.exists() else cut_voice(folder / "input.mp4", 60.0, work)


def _measure(presenter: str, system: str, video: Path, ours: MadeClip) -> PeerFigures:
    tracks, output = ours.presenter.tracks, read_output(video, ours.presenter.tracks)
    speaker = Speaker(ours.presenter, -picture_after_sound(ours.presenter.path), "its own sound", True)
    said = ours.voice.speech.activity > SAID
    times = np.arange(len(output)) / float(tracks.frame_rate)
    gap, truth = seen_gap(output), speaker_curve(speaker, len(said), seen_gap)
    curves = correlation_at_lags(truth, gap, times, LAGS, differences=False)
    true_width = speaker_curve(speaker, len(said), seen_width)
    widths = correlation_at_lags(true_width, seen_width(output), times, LAGS, differences=False)
    touching = lips_touch(sharp_gap(output), tracks)
    closures = count_closures(speaker_curve(speaker, len(said), sharp_gap), said, times, touching, touching)
    sharpness, face, mouth, flicker = _pictures(video, ours.presenter.path, tracks, output)
    return PeerFigures(
        presenter=presenter,
        system=system,
        gap=float(curves.max()),
        gap_at_once=float(curves[len(LAGS) // 2]),
        width=float(widths.max()),
        opens=opening_span(gap) / opening_span(truth),
        closures=closures.count,
        touched=closures.touched,
        falsely_closed=closures.falsely_closed / max(closures.open, 0.01),
        sharpness=sharpness,
        face=face,
        mouth=mouth,
        flicker=flicker,
    )


def _pictures(video: Path, true: Path, tracks: FaceTracks, output: FaceTracks) -> tuple[float, float, float, float]:
    """Sharpness over the truth's, differences of face and mouth, and flicker over the truth's."""
    rows: list[tuple[float, float, float]] = []
    changes: list[tuple[float, ...]] = []
    before: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    for at, (drawn, real) in enumerate(zip(frames_of(video), frames_of(true), strict=False)):
        if at >= len(tracks) or not tracks.present[at]:
            before = None
            continue
        one, other = grey(drawn).astype(np.float32), grey(real).astype(np.float32)
        head = tracks.head_frame(at)
        mouth, face = box_of(one.shape, head, MOUTH), box_of(one.shape, head, FACE)
        sharp = mouth_over_face(one, head, output.landmarks[at]) / mouth_over_face(other, head, tracks.landmarks[at])
        unlike = np.abs(one - other)
        rows.append((sharp, float(unlike[face].mean()), float(unlike[mouth].mean())))
        if before is not None:
            pairs = (one, before[0]), (other, before[1])
            changes.append(tuple(float(np.abs(now[mouth] - then[mouth]).mean()) for now, then in pairs))
        before = one, other
    sharpness, unlike_face, unlike_mouth = np.nanmedian(np.array(rows), axis=0)
    drawn, real = np.array(changes).mean(axis=0)
    return float(sharpness), float(unlike_face), float(unlike_mouth), float(drawn / real)


def _print(found: list[PeerFigures]) -> None:
    print_head(
        *("system", "presenters", "gap, best lag / at once", "width", "opens", "closures", "falsely closed"),
        *("sharpness", "eyes, cheeks", "mouth", "flicker"),
    )
    for system in sorted({figures.system for figures in found}):
        rows = [figures for figures in found if figures.system == system]

        def middle(name: str, rows: list[PeerFigures] = rows) -> float:
            return median(getattr(figures, name) for figures in rows)

        print_row(
            system,
            str(len(rows)),
            f"{middle('gap'):.2f} / {middle('gap_at_once'):.2f}",
            f"{middle('width'):.2f}",
            f"{middle('opens'):.0%}",
            f"{sum(row.touched for row in rows)}/{sum(row.closures for row in rows)}",
            f"{middle('falsely_closed'):.0%}",
            f"{middle('sharpness'):.2f}",
            f"{middle('face'):.1f}",
            f"{middle('mouth'):.1f}",
            f"{middle('flicker'):.2f}",
        )


def _write_strip(presenter: Presenter, videos: dict[str, Path], destination: Path) -> None:
    rows = {"input": _mouths(presenter.path, presenter.tracks)}
    rows |= {name: _mouths(path, presenter.tracks) for name, path in videos.items()}
    shown = min(len(pictures) for pictures in rows.values())
    write_rows(
        {name: row[:shown] for name, row in rows.items()}, [str(n * STRIP_EVERY) for n in range(shown)], destination
    )


def _mouths(video: Path, tracks: FaceTracks) -> list[Picture]:
    frames = enumerate(frames_of(video, 0, min(LONGEST, len(tracks))))
    return [cut_mouth(frame, tracks.head_frame(at), STRIP_SIDE, SIDE) for at, frame in frames if at % STRIP_EVERY == 0]
