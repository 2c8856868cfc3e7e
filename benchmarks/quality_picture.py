"""The picture around the words: the seam at the patch's border, flicker outside the mouth, sharpness of the mouth."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_footage import (
    MadeClip,
    cut_voice,
    encode_template,
    frame_count,
    frames_of,
    make_clip,
    patch_box,
)
from benchmarks.quality_mouth import read_output
from benchmarks.quality_run import Run, print_head, print_row
from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.faces.shot_detection import grey
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.media.timeline import ping_pong

PICTURE_SECONDS = 5.0
SEAM_FRAMES = 100
EVERY = 3
"""Every third frame is looked at for sharpness."""

OPENING_MARGIN = 0.04
"""IOD around the inner lips that is left out: a tooth's edge is sharp, and is no sign of sharp skin."""

MOUTH = (-0.5, 0.5, 0.75, 1.55)
FACE = (-0.75, 0.75, -0.15, 0.6)
"""Left, right, top, bottom in the head frame, IOD: the mouth with the skin around it; eyes, cheeks and nose."""

Luma = NDArray[np.float32]


@dataclass(frozen=True)
class Seam:
    """Levels of 255, luma. step: mean and 99th percentile of what the patch adds along its border, on raw patches.
    noise: mean step between neighbouring pixels of the template there, across the border."""

    step: float
    step_99: float
    noise: float


@dataclass(frozen=True)
class Flicker:
    """Luma levels outside the patch, after encoding: mean absolute difference of the output from the template encoded
    alike; the mean absolute change of that difference from frame to frame; and of the template itself."""

    difference: float
    change: float
    template_change: float


@dataclass(frozen=True)
class Sharpness:
    """Fine detail (mean absolute Laplacian of the luma) of lips and skin around the mouth over that of the upper face.

    output, template: median over frames. The template is encoded as the output is.
    """

    output: float
    template: float


def picture_around(run: Run) -> list[dict[str, object]]:
    """The seam, flicker and sharpness of one clip of each presenter."""
    print_head(
        *("presenter", "seam: step, 99th percentile", "noise of the skin there"),
        *("outside, after encoding: differs by", "changes by", "template changes by"),
        *("sharpness mouth / face", "template", "ratio"),
    )
    found, ratios = [], []
    for speaker, presenter in run.one_voice_each():
        voice = cut_voice(speaker.presenter.path, PICTURE_SECONDS, run.work)
        clip = make_clip(voice, presenter, run.work / f"picture.{presenter.path.stem}.mp4")
        alike = encode_template(voice, presenter, run.work / f"template.{presenter.path.stem}.mp4")
        seam, flicker = measure_seam(voice, presenter), measure_flicker(clip, alike)
        sharpness = measure_sharpness(clip, alike, read_output(clip.path, presenter.tracks))
        ratios.append(sharpness.output / sharpness.template)
        print_row(
            presenter.path.stem,
            f"{seam.step:.2f}, {seam.step_99:.1f}",
            f"{seam.noise:.2f}",
            f"{flicker.difference:.2f}",
            f"{flicker.change:.2f}",
            f"{flicker.template_change:.2f}",
            f"{sharpness.output:.2f}",
            f"{sharpness.template:.2f}",
            f"{ratios[-1]:.2f}",
        )
        found.append(
            {"presenter": presenter.path.stem, "seam": asdict(seam)}
            | {"flicker": asdict(flicker), "sharpness": asdict(sharpness)}
        )
    print_row("**median (least)**", *[""] * 7, f"{median(ratios):.2f} ({min(ratios):.2f})")
    return found


def measure_seam(voice: Voice, presenter: Presenter) -> Seam:
    """Look at the borders of the patches before they are encoded."""
    steps: list[NDArray[np.float32]] = []
    noises: list[NDArray[np.float32]] = []
    drawn = draw_mouths(voice, presenter, load_engine("warp"))
    shown = presenter.open().presentation(frame_count(voice, presenter))
    for (_, frame), patch in islice(zip(shown, drawn, strict=True), SEAM_FRAMES):
        if patch.pixels is None:
            continue
        before = grey(frame).astype(np.float32)
        box = patch_box(patch.left, patch.top, patch.pixels)
        added = np.abs(grey(patch.pixels) - before[box[1] : box[3], box[0] : box[2]])
        for inside, across in _borders(added, before, box):
            steps.append(inside)
            noises.append(across)
    if not steps:
        return Seam(0.0, 0.0, 0.0)
    step = np.concatenate(steps)
    return Seam(float(step.mean()), float(np.percentile(step, 99)), float(np.concatenate(noises).mean()))


def measure_flicker(clip: MadeClip, encoded_template: Path) -> Flicker:
    """Compare a finished clip with its encoded template outside the box that holds every patch."""
    sides = np.array(clip.patches)
    (left, top), (right, bottom) = sides[:, :2].min(axis=0), sides[:, 2:].max(axis=0)
    before: tuple[Luma, Luma] | None = None
    differences, changes, own = [], [], []
    for output, template in _pairs(clip.path, encoded_template):
        outside = np.ones(output.shape, bool)
        outside[top:bottom, left:right] = False
        now = (output - template, template)
        differences.append(np.abs(now[0][outside]).mean())
        if before is not None:
            changes.append(np.abs(now[0] - before[0])[outside].mean())
            own.append(np.abs(now[1] - before[1])[outside].mean())
        before = now
    return Flicker(float(np.mean(differences)), float(np.mean(changes)), float(np.mean(own)))


def measure_sharpness(clip: MadeClip, encoded_template: Path, output: FaceTracks) -> Sharpness:
    """Compare how sharp the mouth is, output against template. output: tracks read from the finished clip."""
    tracks = clip.presenter.tracks
    ratios: list[tuple[float, float]] = []
    for position, (drawn, template) in enumerate(_pairs(clip.path, encoded_template)):
        at = ping_pong(position, len(tracks))
        if position % EVERY or not tracks.present[at]:
            continue
        head = tracks.head_frame(at)
        ratios.append(
            (
                mouth_over_face(drawn, head, output.landmarks[position]),
                mouth_over_face(template, head, tracks.landmarks[at]),
            )
        )
    return Sharpness(*(float(value) for value in np.nanmedian(np.array(ratios), axis=0)))


def _borders(
    added: NDArray[np.float32], frame: Luma, box: tuple[int, int, int, int]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """What was added along each side of a patch that lies inside the frame, and the template's own steps there."""
    left, top, right, bottom = box
    height, width = frame.shape
    if top > 0:
        yield added[0], np.abs(frame[top, left:right] - frame[top - 1, left:right])
    if bottom < height:
        yield added[-1], np.abs(frame[bottom - 1, left:right] - frame[bottom, left:right])
    if left > 0:
        yield added[:, 0], np.abs(frame[top:bottom, left] - frame[top:bottom, left - 1])
    if right < width:
        yield added[:, -1], np.abs(frame[top:bottom, right - 1] - frame[top:bottom, right])


def _pairs(first: Path, second: Path) -> Iterator[tuple[Luma, Luma]]:
    for one, other in zip(frames_of(first), frames_of(second), strict=True):
        yield grey(one).astype(np.float32), grey(other).astype(np.float32)


def mouth_over_face(luma: Luma, head: HeadFrame, landmarks: NDArray[np.float32]) -> float:
    """Fine detail around the mouth over that of the upper face. landmarks: (68, 2), pixels."""
    import cv2

    detail = np.abs(cv2.Laplacian(luma, cv2.CV_32F))
    unit = 1 / head.scale
    opening = np.zeros(luma.shape, np.uint8)
    inner = landmarks[60:68].astype(np.int32)
    cv2.fillPoly(opening, [inner], 1)
    cv2.polylines(opening, [inner], True, 1, max(1, round(2 * OPENING_MARGIN * unit)))
    mouth, face = box_of(luma.shape, head, MOUTH), box_of(luma.shape, head, FACE)
    kept = detail[mouth][opening[mouth] == 0]
    return float(kept.mean() / detail[face].mean())


def box_of(shape: tuple[int, ...], head: HeadFrame, box: tuple[float, ...]) -> tuple[slice, slice]:
    """Upright box of pixels around a box of the head frame."""
    left, right, top, bottom = box
    corners = np.array([(x, y) for x in (left, right) for y in (top, bottom)])
    pixels = head.to_pixels(corners)
    (x0, y0), (x1, y1) = np.floor(pixels.min(axis=0)).astype(int), np.ceil(pixels.max(axis=0)).astype(int)
    return slice(max(0, y0), min(shape[0], y1)), slice(max(0, x0), min(shape[1], x1))
