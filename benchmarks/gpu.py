"""All that is measured on a GPU, in one command: networks and whole clips of wav2lip and musetalk, tracking, NVENC.

    python -m benchmarks.gpu                          on the first CUDA card
    python -m benchmarks.gpu --device cpu             the same on the processor

Each part runs in a process of its own, and a part that fails ends no other.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from heygem_pipeline import generate_clip
from heygem_pipeline.demo.presenters import make_presenters
from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.errors import PipelineError
from heygem_pipeline.settings import DEFAULTS, Encoder

PARTS = (
    ("benchmarks/wav2lip.py", "--device"),
    ("benchmarks/wav2lip.py", "--batches", "--device"),
    ("-m", "benchmarks.musetalk", "--precision", "float16", "--device"),
    ("-m", "benchmarks.musetalk", "--precision", "bfloat16", "--device"),
    ("-m", "benchmarks.musetalk", "--precision", "float32", "--device"),
)


def main(device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N or mps")] = "cuda") -> None:
    """Run all parts; exit status 1 where one of them failed."""
    failed = []
    for part in (*((*one, device) for one in PARTS), ("benchmarks/tracking.py",)):
        print(f"\n== {' '.join(part)}", flush=True)
        done = subprocess.run([sys.executable, *part], env=os.environ | {"HEYGEM_DEVICE": device}, check=False)
        if done.returncode:
            failed.append(" ".join(part))
    _encoders()
    if failed:
        print(f"\nFailed: {'; '.join(failed)}")
        raise typer.Exit(1)


def _encoders() -> None:
    """Whole clips of the default engine, encoded on the processor and on the card."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        voice, presenter = copy_recordings(folder)[0], make_presenters(folder)[0]
        for encoder in (Encoder.X264, Encoder.NVENC):
            chosen = DEFAULTS.model_copy(update={"encoder": encoder})
            try:
                report = generate_clip(voice, presenter, folder / f"{encoder}.mp4", settings=chosen)
            except PipelineError as error:
                print(f"\n== {encoder}: {error}")
            else:
                print(f"\n== {encoder}: {report.frames} frames, seconds of each stage: {report.seconds}")


if __name__ == "__main__":
    typer.run(main)
