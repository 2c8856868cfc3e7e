"""Whole clips of the default engine, tracking included, against the plain loop that Wav2Lip is usually run in.

    python -m benchmarks.wav2lip_loop                  the demo's presenter and voice
    python -m benchmarks.wav2lip_loop --rounds 1

The loop: decode, cut a face of 96 x 96 out of a box, the network in float32 by batches of 128, lay the face back, x264.
Once with a box that is fixed, and once with S3FD looking for the face in every whole frame, as the reference does.
Weights are random: the cost is the same. S3FD is timed on a few frames and counted for all.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
import torch  # noqa: TID253 - this is what is measured

from heygem_pipeline import generate_clip
from heygem_pipeline.demo.presenters import make_presenters
from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.lipsync.wav2lip.network.model import MEL_BANDS, MEL_COLUMNS, Wav2LipNetwork
from heygem_pipeline.media.ffmpeg_program import find_ffmpeg
from heygem_pipeline.media.frame_sequence import FrameSequence

BATCH = 128
DETECTED_FRAMES = 2
FACE = (slice(180, 460), slice(520, 760))
console = Console(width=110)


def main(rounds: Annotated[int, typer.Option(help="How often each is measured, in turns")] = 3) -> None:
    """Measure in turns; print medians, all rounds and ratios."""
    torch.manual_seed(0)
    ours, fixed, detected = [], [], []
    console.print(f"{os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}; torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        voice, presenter = copy_recordings(folder)[0], make_presenters(folder)[0]
        frames = generate_clip(voice, presenter, folder / "warm.mp4").frames
        for _ in range(rounds):
            started = perf_counter()
            generate_clip(voice, presenter, folder / "ours.mp4")
            ours.append(frames / (perf_counter() - started))
            seconds = _loop(presenter, frames, folder / "loop.mp4")
            fixed.append(frames / seconds)
            detected.append(frames / (seconds + frames * _detection(presenter)))
    table = Table("what", "frames/s, median", "rounds", "ours against it")
    for name, speeds in (
        ("ours: track, draw, encode, measure the sync", ours),
        ("Wav2Lip's loop, fixed box", fixed),
        ("Wav2Lip's loop, S3FD in every frame", detected),
    ):
        each = ", ".join(f"{speed:.2f}" for speed in speeds)
        table.add_row(name, f"{median(speeds):.2f}", each, f"{median(ours) / median(speeds):.1f} x")
    console.print(table)


def _loop(presenter: Path, count: int, destination: Path) -> float:
    """Seconds that the loop takes for so many frames."""
    import cv2

    network = Wav2LipNetwork().eval().requires_grad_(False)
    sequence = FrameSequence.open(presenter)
    started = perf_counter()
    size = f"{sequence.info.width}x{sequence.info.height}"
    command = [
        str(find_ffmpeg(None)),
        "-y",
        "-v",
        "error",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "bgr24",
        "-s",
        size,
        "-r",
        "25",
    ]
    encoder = subprocess.Popen([*command, "-i", "-", "-pix_fmt", "yuv420p", str(destination)], stdin=subprocess.PIPE)
    assert encoder.stdin is not None
    waiting: list[NDArray[np.uint8]] = []
    for index, (_, frame) in enumerate(sequence.presentation(count), start=1):
        waiting.append(frame)
        if len(waiting) < BATCH and index < count:
            continue
        cut = np.stack([cv2.resize(one[FACE], (96, 96)) for one in waiting]).transpose(0, 3, 1, 2)
        faces = torch.from_numpy(np.concatenate([cut, cut], axis=1).astype(np.float32) / 255)
        with torch.inference_mode():
            drawn = network(torch.rand(len(waiting), 1, MEL_BANDS, MEL_COLUMNS), faces).numpy()
        for one, face in zip(waiting, drawn.transpose(0, 2, 3, 1), strict=True):
            rows, columns = one[FACE].shape[:2]
            one[FACE] = cv2.resize((face * 255).clip(0, 255).astype(np.uint8), (columns, rows))
            encoder.stdin.write(np.ascontiguousarray(one).data)
        waiting.clear()
    encoder.stdin.close()
    encoder.wait()
    return perf_counter() - started


def _detection(presenter: Path) -> float:
    """Seconds that S3FD takes for a whole frame."""
    from face_alignment.detection.sfd.net_s3fd import s3fd

    network = s3fd().eval().requires_grad_(False)
    frame = next(FrameSequence.open(presenter).frames())
    picture = torch.from_numpy(frame.transpose(2, 0, 1)[None].astype(np.float32))
    with torch.inference_mode():
        network(picture)
        started = perf_counter()
        for _ in range(DETECTED_FRAMES):
            network(picture)
    return (perf_counter() - started) / DETECTED_FRAMES


if __name__ == "__main__":
    typer.run(main)
