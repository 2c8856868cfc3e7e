"""Self-reenactment: a talking clip's own mouth, drawn again, against the clip itself.

    python -m benchmarks.reenactment FOLDER                       every clip of a folder
    python -m benchmarks.reenactment FOLDER --strips OUT          and strips of truth and drawings, at 3x
    python -m benchmarks.reenactment FOLDER --tracks KEPT         with face tracks stored there (<stem>.face.parquet)

"held": one closed frame of the clip is held still and driven by the first 110 frames, as they differ from it. "half":
the first half of the clip drives the second half. Truth and drawing are compared in the head frame, each placed by its
own head transform. B never shows a mouth from within 12 frames of the truth.
static: the presenter as it is. Landmark errors are mean distances of the 20 mouth points, in eye distances (IOD); the
floor is the tracker's predictor run on the true frames with other jitter.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.warp_reenactment import RecordedPerformance, recorded_performance
from heygem_pipeline.faces.head_frame import pixel_areas, transform_points
from heygem_pipeline.faces.known_faces import KnownFaceReader
from heygem_pipeline.faces.mouth_measure import MOUTH_SMOOTHING_SECONDS
from heygem_pipeline.faces.temporal_smoothing import savitzky_golay, window_length
from heygem_pipeline.faces.tracking import track_faces
from heygem_pipeline.faces.tracks import FaceTracks, read_tracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.warp.analysis.calibration import CLOSED_FRAMES_SHARE, Calibration, calibrate
from heygem_pipeline.lipsync.warp.contours import contours_from_lips
from heygem_pipeline.lipsync.warp.exemplars.collection import ExemplarSet, collect_exemplars
from heygem_pipeline.lipsync.warp.sequence_renderer import render_performance
from heygem_pipeline.media.frame_sequence import FrameSequence

FRAMES = 110
EXCLUDED = 12
"""Frames around the truth that neither the held frame nor a found mouth may come from."""
HALF_WIDTH, ABOVE, BELOW = 0.45, 0.20, 0.30
"""The region compared, IOD around the middle of the closed mouth: the lips and little else."""
LARGEST_SCALE = 120.0
"""Pixels for an IOD at which truth and drawing are compared; smaller faces at their own size."""
STRIP_HALF_WIDTH, STRIP_ABOVE, STRIP_BELOW = 0.60, 0.38, 0.50
STRIP_FRAMES, STRIP_ZOOM = 8, 3.0

Picture = NDArray[np.uint8]
console = Console(width=150)
app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Clip:
    """A talking clip and what is known of it."""

    name: str
    sequence: FrameSequence
    tracks: FaceTracks
    calibration: Calibration

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Predicted openings, IOD (frames,)."""
        return self.calibration.gaps

    @property
    def neutral(self) -> NDArray[np.float64]:
        """The closed mouth's landmarks (68, 2), head frame."""
        gaps = self.gaps
        return np.median(self.calibration.landmarks[gaps <= np.nanquantile(gaps, CLOSED_FRAMES_SHARE)], axis=0)


@dataclass(frozen=True)
class Trial:
    """What drives what: output frame i shows presenter frame ``shown[i]`` and shall look like frame ``truth[i]``."""

    name: str
    truth: NDArray[np.int64]
    shown: NDArray[np.int64]


Draw = Callable[[], Iterator[MouthPatch]]
Way = tuple[str, Draw]


class Row(NamedTuple):
    """A line of the table, as printed."""

    clip: str
    way: str
    ssim: str
    psnr: str
    landmark_error: str
    floor: str
    sharpness: str
    gap_correlation: str
    milliseconds: str


@dataclass
class Score:
    """Figures of one way of drawing, one entry a frame."""

    ssim: list[float]
    psnr: list[float]
    sharpness: list[float]
    landmarks: list[NDArray[np.float64]]
    gaps: list[float]
    seconds: float = 0.0


def open_clip(path: Path, kept: Path | None) -> Clip:
    """Open a clip with its stored tracks, or track it."""
    sequence = FrameSequence.open(path)
    stored = kept / f"{path.stem}.face.parquet" if kept else None
    tracks = read_tracks(stored) if stored and stored.exists() else track_faces(sequence)
    return Clip(path.stem, sequence, tracks, calibrate(tracks))


def held_trial(clip: Clip) -> Trial:
    """The closed frame most like the closed mouth, driven by the first frames that show the face."""
    away = np.linalg.norm(clip.calibration.landmarks[:, 48:] - clip.neutral[48:], axis=2).mean(axis=1)
    held = int(np.nanargmin(away))
    frames = np.arange(len(clip.tracks))
    truth = np.flatnonzero(clip.tracks.present & (np.abs(frames - held) > EXCLUDED))[:FRAMES]
    return Trial("held", truth, np.full(len(truth), held))


def half_trial(clip: Clip) -> Trial:
    """The first half drives the second half."""
    middle = len(clip.tracks) // 2
    count = min(FRAMES, middle)
    seen = [i for i in range(count) if clip.tracks.present[i] and clip.tracks.present[middle + i]]
    return Trial("half", np.array(seen), middle + np.array(seen))


class HeadCrop:
    """Takes the compared region out of a frame, upright and at one scale."""

    def __init__(self, clip: Clip, half_width: float, above: float, below: float, zoom: float = 1.0) -> None:
        scales = np.sqrt(pixel_areas(clip.tracks.head[clip.tracks.present]))
        self.scale = zoom * min(LARGEST_SCALE, float(1 / np.median(scales)))
        self.corner = clip.neutral[48:60].mean(axis=0) - [half_width, above]
        self.size = round(2 * half_width * self.scale), round((above + below) * self.scale)

    def __call__(self, frame: Picture, to_head: NDArray[np.float64]) -> Picture:
        """uint8 (rows, columns, 3) BGR."""
        import cv2

        matrix = self.scale * to_head
        matrix[:, 2] -= self.scale * self.corner
        flags, border = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(frame, matrix, self.size, flags=flags, borderMode=border), np.uint8)


def compare(clip: Clip, trial: Trial, ways: Iterable[Way], strips: Path | None) -> Iterator[Row]:
    """Draw a trial in every way and yield a row for each."""
    crop = HeadCrop(clip, HALF_WIDTH, ABOVE, BELOW)
    enlarged = HeadCrop(clip, STRIP_HALF_WIDTH, STRIP_ABOVE, STRIP_BELOW, STRIP_ZOOM)
    floor, chosen = _floor(clip, trial), set(_strip_places(clip, trial))
    true_crops, strip = [], {"truth": {}}
    for place, (i, frame) in enumerate(_frames(clip, trial.truth)):
        true_crops.append(crop(frame, clip.tracks.head[i]))
        if place in chosen:
            strip["truth"][place] = enlarged(frame, clip.tracks.head[i])
    for name, draw in ways:
        reader = KnownFaceReader()
        score, pictures = Score([], [], [], [], []), {}
        for place, (i, frame, seconds) in enumerate(_drawn(clip, trial, draw)):
            score.seconds += seconds
            to_head = clip.tracks.head[i]
            _compare(score, true_crops[place], crop(frame, to_head))
            _read_mouth(score, reader, clip, i, frame)
            if place in chosen:
                pictures[place] = enlarged(frame, to_head)
        strip[name] = pictures
        error, correlation = _landmark_error(clip, trial, score)
        yield Row(
            f"{clip.name[:22]} {trial.name}",
            name,
            f"{np.mean(score.ssim):.3f}",
            f"{np.mean(score.psnr):.1f}",
            f"{error:.4f}",
            f"{floor:.4f}",
            f"{np.mean(score.sharpness):.2f}",
            f"{correlation:.3f}",
            f"{1000 * score.seconds / len(trial.truth):.1f}",
        )
    if strips is not None:
        _write_strip(strip, strips / f"{clip.name}-{trial.name}.png")


def _frames(clip: Clip, wanted: NDArray[np.int64]) -> Iterator[tuple[int, Picture]]:
    """Frames in the order wanted, which may hold one frame, or go forward."""
    if len(set(wanted.tolist())) == 1:
        (picture,) = islice(clip.sequence.frames(), int(wanted[0]), int(wanted[0]) + 1)
        yield from ((int(wanted[0]), picture.copy()) for _ in wanted)
        return
    places = set(wanted.tolist())
    for index, frame in enumerate(clip.sequence.frames()):
        if index in places:
            yield index, frame
        if index >= wanted[-1]:
            return


def _drawn(clip: Clip, trial: Trial, draw: Callable[[], Iterator[MouthPatch]]) -> Iterator[tuple[int, Picture, float]]:
    """Index of the presenter's frame, finished picture, seconds of one core spent on drawing it, without decoding."""
    patches = draw()
    for index, frame in _frames(clip, trial.shown):
        started = process_time()
        patch = next(patches)
        spent = process_time() - started
        if patch.pixels is not None:
            height, width = patch.pixels.shape[:2]
            frame[patch.top : patch.top + height, patch.left : patch.left + width] = patch.pixels
        yield index, frame, spent


def _compare(score: Score, truth: Picture, drawn: Picture) -> None:
    import cv2
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    true_grey, grey = (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in (truth, drawn))
    score.ssim.append(float(structural_similarity(true_grey, grey)))  # pyright: ignore[reportArgumentType]
    score.psnr.append(float(peak_signal_noise_ratio(truth, drawn)))
    detail, true_detail = (float(cv2.Laplacian(picture, cv2.CV_32F).var()) for picture in (grey, true_grey))
    score.sharpness.append(np.sqrt(detail / max(true_detail, 1e-6)))


def _read_mouth(score: Score, reader: KnownFaceReader, clip: Clip, index: int, frame: Picture) -> None:
    """Note the landmarks and the opening of a drawn frame, in the head frame; NaN where no face is read."""
    reading, to_head = reader.read(frame, clip.tracks.landmarks[index]), clip.tracks.raw_head[index][None]
    if reading is None:
        score.landmarks.append(np.full((68, 2), np.nan))
        score.gaps.append(float("nan"))
        return
    score.landmarks.append(transform_points(to_head, reading.landmarks[None])[0])
    score.gaps.append(
        contours_from_lips(transform_points(to_head, reading.lips.reshape(1, -1, 2)).reshape(4, 11, 2)).gap
    )


def _landmark_error(clip: Clip, trial: Trial, score: Score) -> tuple[float, float]:
    """Mean distance of the mouth's points from the true ones, IOD, and the correlation of the opening."""
    window = window_length(MOUTH_SMOOTHING_SECONDS, clip.tracks.frame_rate)
    landmarks, gaps = np.array(score.landmarks), np.array(score.gaps)
    read = np.isfinite(gaps)
    smooth = savitzky_golay(landmarks[:, 48:], read, window)
    gap, true_gap = savitzky_golay(gaps, read, window), clip.gaps[trial.truth]
    error = float(np.nanmean(np.linalg.norm(smooth - clip.calibration.landmarks[trial.truth][:, 48:], axis=2)))
    return error, float(np.corrcoef(gap[read], true_gap[read])[0, 1]) if np.ptp(gap[read]) > 1e-6 else 0.0


def _floor(clip: Clip, trial: Trial) -> float:
    """The tracker's own disagreement on the true frames: read anew from another crop."""
    score, reader = Score([], [], [], [], []), KnownFaceReader()
    for i, frame in _frames(clip, trial.truth):
        _read_mouth(score, reader, clip, i, frame)
    return _landmark_error(clip, trial, score)[0]


def _strip_places(clip: Clip, trial: Trial) -> list[int]:
    """Output frames for the strip: from the most closed to the most open, evenly among the openings."""
    gaps = clip.gaps[trial.truth]
    order = np.argsort(gaps, kind="stable")
    return sorted(order[np.linspace(0, len(order) - 1, STRIP_FRAMES).astype(int)].tolist())


def _write_strip(strip: dict[str, dict[int, Picture]], destination: Path) -> None:
    import cv2

    rows = [np.hstack([pictures[place] for place in sorted(pictures)]) for pictures in strip.values()]
    destination.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(destination), np.vstack(rows))


def ways_of(clip: Clip, trial: Trial) -> Iterator[Way]:
    """Yield the ways of drawing a trial."""
    pose = np.median(clip.tracks.pose[trial.shown, :2], axis=0)
    recorded = recorded_performance(clip.tracks, clip.calibration, clip.tracks.frame_rate, pose, clip.calibration)
    performance: RecordedPerformance = replace(
        recorded, landmarks=recorded.landmarks[trial.truth], lips=recorded.lips[trial.truth]
    )
    if trial.name == "held":
        held = trial.shown[0]
        performance = replace(
            performance, neutral=clip.calibration.landmarks[held], neutral_lips=clip.calibration.lips[held]
        )

    def static() -> Iterator[MouthPatch]:
        yield from (MouthPatch(place, int(index)) for place, index in enumerate(trial.shown))

    def drawn(own_mouths: ExemplarSet | None) -> Iterator[MouthPatch]:
        frames = _frames(clip, trial.shown)
        if own_mouths is None:
            yield from render_performance(performance, frames, trial.shown, clip.tracks, clip.calibration)
            return
        places = own_mouths.frames

        def excluded(output_frame: int) -> NDArray[np.bool_]:
            return np.abs(places - trial.truth[output_frame]) <= EXCLUDED

        yield from render_performance(
            performance, frames, trial.shown, clip.tracks, clip.calibration, own_mouths, excluded
        )

    yield "static", static
    yield "A", lambda: drawn(None)
    allowed = (
        np.ones(len(clip.tracks), bool) if trial.name == "held" else np.isin(np.arange(len(clip.tracks)), trial.shown)
    )
    own_mouths = collect_exemplars(clip.sequence.frames, clip.tracks, clip.calibration, allowed)
    if own_mouths is not None:
        yield "B", lambda: drawn(own_mouths)


@app.command()
def main(
    folder: Path,
    tracks: Annotated[Path | None, typer.Option(help="Folder of stored face tracks.")] = None,
    strips: Annotated[Path | None, typer.Option(help="Folder for strips of pictures.")] = None,
    only: Annotated[str, typer.Option(help="Part of the clips' names.")] = "",
    trials: Annotated[str, typer.Option(help="held, half, or both with a comma.")] = "held,half",
) -> None:
    """Measure every clip of a folder."""
    import cv2

    cv2.setNumThreads(1)
    made = {"held": held_trial, "half": half_trial}
    table = Table(title="Self-reenactment of the mouth", title_justify="left")
    for heading in ("clip", "way", "SSIM", "PSNR", "landmarks", "floor", "sharpness", "gap corr", "CPU ms a frame"):
        table.add_column(heading)
    for path in sorted(folder.glob("*.mp4")):
        if only in path.stem:
            clip = open_clip(path, tracks)
            for name in trials.split(","):
                trial = made[name](clip)
                for row in compare(clip, trial, ways_of(clip, trial), strips):
                    table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    app()
