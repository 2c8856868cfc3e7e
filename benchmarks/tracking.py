"""How fast the tracker face_alignment is, and how much sooner a second voice on the same presenter is finished.

    python benchmarks/tracking.py                              painted faces, stand-ins for the weights
    python benchmarks/tracking.py --presenter anna.mp4         your presenter, the weights in checkpoints/
    HEYGEM_DEVICE=cuda python benchmarks/tracking.py           on a GPU

The stand-ins have the networks' true size and cost the same; only how many faces the detector doubts may differ.
"""

import os
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import numpy as np
import typer

from heygem_pipeline.clip.finish import MouthDrawing, finish_clip
from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import Presenter, track_presenter
from heygem_pipeline.clip.voice import analyse_voice
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.settings import settings
from heygem_pipeline_tests.conftest import write_video, write_voice
from heygem_pipeline_tests.faces.stand_in_weights import box_side, paint_face, write_stand_ins

UNIT = 256 / box_side(1.0)


def main(
    presenter: Annotated[Path | None, typer.Option(help="A video; default: a painted face, 1280 x 720")] = None,
    seconds: Annotated[float, typer.Option(help="Length of the painted presenter and of the voices")] = 2.0,
    rounds: Annotated[int, typer.Option(help="How often each is measured, in turns")] = 3,
) -> None:
    """Measure and print medians and all rounds."""
    os.environ["HEYGEM_TRACKER"] = "face_alignment"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if presenter is None:
            write_stand_ins(folder / "weights")
            os.environ["HEYGEM_CHECKPOINTS"] = str(folder / "weights")
            presenter = folder / "painted.mp4"
            write_video(presenter, _painted(round(25 * seconds)))
        settings.cache_clear()
        write_voice(folder / "voice.wav", seconds)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, device {settings().device}, {presenter.name}")
        tracked = track_presenter(presenter, settings=settings())  # So that the networks are read and warm.
        tracking, making = [], []
        for _ in range(rounds):
            started = perf_counter()
            tracked = track_presenter(presenter, settings=settings())
            tracking.append(perf_counter() - started)
            started = perf_counter()
            _make(folder, tracked)
            making.append(perf_counter() - started)
    frames = len(tracked.tracks)
    speeds = [frames / spent for spent in tracking]
    gains = [(first + second) / second for first, second in zip(tracking, making, strict=True)]
    print(f"tracking: {median(speeds):.2f} frames/s ({', '.join(f'{speed:.2f}' for speed in speeds)})")
    print(f"a second voice: {median(gains):.1f} x as soon ({', '.join(f'{gain:.1f}' for gain in gains)}),", end=" ")
    print(f"{median(making):.1f} s instead of {median(making) + median(tracking):.1f} s")


def _make(folder: Path, tracked: Presenter) -> None:
    voice, engine = analyse_voice(folder / "voice.wav"), load_engine(settings().engine, settings())
    finish_clip(
        voice,
        tracked,
        MouthDrawing(draw_mouths(voice, tracked, engine), engine),
        folder / "clip.mp4",
        made_with=settings(),
    )


def _painted(count: int) -> list[np.ndarray]:
    frames = []
    for index in range(count):
        frames.append(np.zeros((720, 1280, 3), np.uint8))
        paint_face(frames[-1], (620 + 8 * (index // 8 % 4), 500), UNIT)
    return frames


if __name__ == "__main__":
    typer.run(main)
