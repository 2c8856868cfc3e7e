"""How fast the engine musetalk is, what a second voice of a presenter saves, and how much memory a clip takes.

    python -m benchmarks.musetalk                     on the processor: some minutes
    python -m benchmarks.musetalk --device cuda       on a GPU
    python -m benchmarks.musetalk --memory            only memory: clips of 20 s and 300 s, without the networks' own

Networks are as large as the public ones, with random weights: they cost the same, and draw noise. ``--checkpoints``
takes the public weights instead; then it is measured too how much the lips tremble.
"""

import os
import resource
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated, cast

import numpy as np
import torch  # noqa: TID253 - this is what is measured
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from heygem_pipeline.clip.finish import MouthDrawing, finish_clip
from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import Presenter, track_presenter
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.demo.presenters import make_presenters
from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.faces.tracks import TrackedUpload
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.musetalk.engine import MuseTalkEngine, weight_files
from heygem_pipeline.lipsync.musetalk.network.architecture import Networks
from heygem_pipeline.lipsync.musetalk.network.inference import FaceGenerator, FaceInput
from heygem_pipeline.lipsync.musetalk.network.weight_files import load_networks
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.wave_file import write_wave
from heygem_pipeline.settings import EngineSettings
from heygem_pipeline_tests.lipsync.musetalk.stand_in import StandInGenerator, unet_of, vae_of, whisper_of

console = Console(width=110)


def main(
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N or mps")] = "cpu",
    rounds: Annotated[int, typer.Option(help="How often each is measured, in turns")] = 3,
    frames: Annotated[int, typer.Option(help="Faces encoded and drawn in a round")] = 8,
    seconds: Annotated[float, typer.Option(help="Length of the whole clips")] = 2.0,
    precision: Annotated[str, typer.Option(help="float32, float16, bfloat16 or auto")] = "auto",
    checkpoints: Annotated[Path | None, typer.Option(help="Folder with the public weights")] = None,
    memory: Annotated[bool, typer.Option(help="Only measure memory")] = False,
) -> None:
    """Measure, and print medians and all rounds."""
    console.print(f"{os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}; torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        presenter = track_presenter(make_presenters(folder)[1])
        if memory:
            for length in (20, 300):
                _memory(_voice(folder, length), presenter, length)
            return
        dtype = None if precision == "auto" else getattr(torch, precision)
        generator = FaceGenerator(lambda: _networks(checkpoints), torch.device(device), dtype)
        card = (
            torch.cuda.get_device_name(generator._device)
            if "cuda" in device
            else torch.backends.cpu.get_cpu_capability()
        )
        console.print(f"{generator}; {card}; batch {generator.batch}")
        voice = _voice(folder, seconds)
        measured: dict[str, list[float]] = {}
        for number in range(rounds):
            kept = folder / f"{number}.latents"
            for name, speed in (
                ("encode, faces/s", _encoding(generator, frames)),
                ("draw, faces/s", _drawing(generator, frames)),
                ("whole clip, first voice of a presenter, frames/s", _clip(generator, voice, presenter, kept)),
                ("whole clip, another voice, frames/s", _clip(generator, voice, presenter, kept)),
            ):
                measured.setdefault(name, []).append(speed)
        table = Table("what", "median", "rounds")
        for name, speeds in measured.items():
            table.add_row(name, f"{median(speeds):.2f}", ", ".join(f"{speed:.2f}" for speed in speeds))
        console.print(table)
        for share in (0.0, 0.5, 1.0) if checkpoints else ():
            console.print(f"steadying {share:g}: {_trembling(generator, voice, presenter, share):.2f} levels a frame")
        if "cuda" in device:
            console.print(f"most memory of the card: {torch.cuda.max_memory_allocated() / 1e9:.1f} GB")


def _networks(checkpoints: Path | None) -> Networks:
    if checkpoints is not None:
        return load_networks(*weight_files(EngineSettings(checkpoints=checkpoints)))
    torch.manual_seed(0)
    networks = Networks(unet_of(320, 640, 1280, 1280), vae_of(128, 256, 512, 512), whisper_of())
    for network in (networks.unet, networks.vae, networks.whisper):
        network.eval().requires_grad_(False)
    return networks


def _voice(folder: Path, seconds: float) -> Voice:
    """The demo's, again and again."""
    sound = read_sound(copy_recordings(folder)[0])
    path = folder / f"voice {seconds:g}.wav"
    write_wave(path, np.resize(sound.samples, int(seconds * sound.sample_rate)), sound.sample_rate)
    return analyse_voice(path)


def _faces(count: int, side: int) -> list[NDArray[np.uint8]]:
    return list(np.random.default_rng(0).integers(0, 255, (count, side, side, 3), np.uint8))


def _encoding(generator: FaceGenerator, count: int) -> float:
    return _speed(lambda: generator.encode_faces(_faces(count, generator.side)), count)


def _drawing(generator: FaceGenerator, count: int) -> float:
    sound = np.random.default_rng(0).normal(0, 1, (count, 50, 384)).astype(np.float32)
    latents = np.random.default_rng(1).normal(0, 1, (count, 8, 32, 32)).astype(np.float16)
    asked = [FaceInput(one, heard) for one, heard in zip(latents, sound, strict=True)]
    return _speed(lambda: generator.draw_faces(asked), count)


def _speed(work: Callable[[], Sequence[object]], count: int) -> float:
    work()
    started = perf_counter()
    work()
    return count / (perf_counter() - started)


def _clip(generator: FaceGenerator, voice: Voice, presenter: Presenter, kept: Path) -> float:
    """Read, draw, lay over, encode; measuring the sync, which no other program does, is taken out."""
    engine = MuseTalkEngine(generator)
    upload = TrackedUpload(presenter.fingerprint, presenter.tracker, kept, 10**10)
    own = replace(presenter, tracks=replace(presenter.tracks, upload=upload))
    started = perf_counter()
    drawing = MouthDrawing(draw_mouths(voice, own, engine), engine)
    report = finish_clip(voice, own, drawing, kept.with_suffix(".mp4")).report
    return report.frames / (perf_counter() - started - report.seconds["sync"])


def _trembling(generator: FaceGenerator, voice: Voice, presenter: Presenter, share: float) -> float:
    """Mean second difference in time of what is drawn: steps that turn back at once, and hardly any even motion."""
    engine = MuseTalkEngine(generator, EngineSettings(musetalk_steadying=share))
    shown: list[NDArray[np.float32]] = []
    for patch in draw_mouths(voice, presenter, engine):
        if patch.pixels is not None:
            shown.append(_small(patch))
    return float(np.abs(np.diff(np.stack(shown), n=2, axis=0)).mean())


def _small(patch: MouthPatch) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.resize(cast(NDArray[np.uint8], patch.pixels), (64, 64)), np.float32)


class _Forgetful(StandInGenerator):
    """Does not remember what it was asked."""

    def draw_faces(self, asked: Sequence[FaceInput]) -> list[NDArray[np.float32]]:
        """As ``FaceGenerator.draw_faces``."""
        self.asked.clear()
        return super().draw_faces(asked)


def _memory(voice: Voice, presenter: Presenter, seconds: int) -> None:
    """Everything but the networks: reading, hearing in pieces, keeping latents, laying over."""
    engine = MuseTalkEngine(_Forgetful(lambda face: face.astype(np.float32)).generator)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(1 for _ in draw_mouths(voice, presenter, engine))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    console.print(f"{seconds} s, {count} frames: most memory {after / 1024:.0f} MB, {before / 1024:.0f} MB before")


if __name__ == "__main__":
    typer.run(main)
