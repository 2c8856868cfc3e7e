"""How fast the engine wav2lip is: network and whole clips, against a plain loop and the arithmetic limit, in one run.

    python benchmarks/wav2lip.py                     on the processor
    python benchmarks/wav2lip.py --device cuda       on a GPU

Weights are random: they cost the same as the public ones. Figures of one round belong together; read the ratios.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import numpy as np

# Read when torch is first imported: as devices.py does it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
import torch  # noqa: TID253 - this is what is measured
import typer
from rich.console import Console
from rich.table import Table

from heygem_pipeline.clip.finish import finish_clip
from heygem_pipeline.clip.mouths import draw_mouths
from heygem_pipeline.clip.presenter import Presenter, track_presenter
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.demo.presenters import make_presenters
from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.lipsync.wav2lip.engine import Wav2LipEngine
from heygem_pipeline.lipsync.wav2lip.network.model import MEL_BANDS, MEL_COLUMNS, Wav2LipNetwork
from heygem_pipeline.lipsync.wav2lip.network.painter import Asked, Painter, usual_precision
from heygem_pipeline.media.template import Template

PLAIN_BATCH = 128
MATRIX_SIDE = {"cpu": 2048, "cuda": 8192, "mps": 4096}
console = Console(width=110)


def main(
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N or mps")] = "cpu",
    rounds: Annotated[int, typer.Option(help="How often each is measured, in turns")] = 3,
    frames: Annotated[int, typer.Option(help="Faces drawn by our network in a round")] = 512,
    batches: Annotated[bool, typer.Option(help="Only compare sizes of batch")] = False,
) -> None:
    """Measure, and print medians and all rounds."""
    where = torch.device(device)
    torch.manual_seed(0)
    network = Wav2LipNetwork().eval().requires_grad_(False)
    console.print(
        f"{_name(where)}; {os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}; torch {torch.__version__}"
    )
    if batches:
        _compare_batches(network, where, frames)
        return
    work = _operations(network)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        voice, presenter = analyse_voice(copy_recordings(folder)[0]), track_presenter(make_presenters(folder)[1])
        painter = Painter(network, where)
        subjects: dict[str, Callable[[], float]] = {
            "(a) plain loop, float32, batch 128": lambda: _plain(network, where),
            f"(b) our network, {usual_precision(where)}": lambda: _ours(painter, frames),
            "(c) whole clip, 720p": lambda: _clip(painter, voice, presenter, folder),
            "decoding alone, 720p": lambda: _decoding(presenter),
            f"(d) limit, float32: matrix rate / {work / 1e9:.1f} GFLOP": lambda: _rate(where, torch.float32) / work,
            f"(d) limit, {usual_precision(where)}": lambda: _rate(where, usual_precision(where)) / work,
        }
        _ours(painter, 2 * painter.batch)
        measured: dict[str, list[float]] = {name: [] for name in subjects}
        for _ in range(rounds):
            for name, measure in subjects.items():
                measured[name].append(measure())
    _print(measured)


def _operations(network: Wav2LipNetwork) -> float:
    """Operations for one frame, a multiplication and an addition counted as two."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, MEL_BANDS, MEL_COLUMNS), torch.zeros(1, 6, 96, 96))
    return float(counter.get_total_flops())


def _plain(network: Wav2LipNetwork, device: torch.device) -> float:
    """Frames a second of the network as anybody would run it first."""
    mels, faces = torch.rand(PLAIN_BATCH, 1, MEL_BANDS, MEL_COLUMNS), torch.rand(PLAIN_BATCH, 6, 96, 96)
    plain = network.to(device)
    with torch.inference_mode():
        if device.type != "cpu":
            plain(mels.to(device), faces.to(device)).cpu()
        started = perf_counter()
        plain(mels.to(device), faces.to(device)).cpu()
    rate = PLAIN_BATCH / (perf_counter() - started)
    network.to("cpu")
    return rate


def _ours(painter: Painter, frames: int) -> float:
    generator = np.random.default_rng(0)
    asked = [
        Asked(
            generator.uniform(-4, 4, (MEL_COLUMNS, MEL_BANDS)).astype(np.float32),
            generator.integers(0, 255, (96, 96, 3), np.uint8),
        )
        for _ in range(frames)
    ]
    started = perf_counter()
    for face in painter.paint(asked):
        face()
    return frames / (perf_counter() - started)


def _clip(painter: Painter, voice: Voice, presenter: Presenter, folder: Path) -> float:
    """Read, draw, lay over, encode; measuring the sync, which no other program does, is taken out."""
    engine = Wav2LipEngine(painter)
    started = perf_counter()
    report = finish_clip(
        voice, presenter, draw_mouths(voice, presenter, engine), engine, folder / "clip.mp4", {}
    ).report
    return report.frames / (perf_counter() - started - report.seconds["sync"])


def _decoding(presenter: Presenter) -> float:
    started = perf_counter()
    count = sum(1 for _ in Template.open(presenter.path).frames())
    return count / (perf_counter() - started)


def _rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product, the best of several."""
    side = MATRIX_SIDE[device.type]
    one, other = (torch.rand(side, side, device=device, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(6):
        _wait(device)
        started = perf_counter()
        torch.matmul(one, other)
        _wait(device)
        best = min(best, perf_counter() - started)
    return 2 * side**3 / best


def _compare_batches(network: Wav2LipNetwork, device: torch.device, frames: int) -> None:
    table = Table("faces at once", "frames/s, best of 3")
    for batch in (1, 2, 4, 8, 12, 16, 24, 32, 64, 128):
        painter = Painter(network, device, batch=batch)
        _ours(painter, batch)
        rounds = max(frames // batch, 2) * batch
        table.add_row(str(batch), f"{max(_ours(painter, rounds) for _ in range(3)):.0f}")
    console.print(table)


def _print(measured: dict[str, list[float]]) -> None:
    table = Table("what", "frames/s, median", "rounds", "against (a)", "against (b)")
    plain, ours = (median(values) for values in list(measured.values())[:2])
    for name, values in measured.items():
        middle, rounds = median(values), ", ".join(f"{value:.1f}" for value in values)
        table.add_row(name, f"{middle:.1f}", rounds, f"{middle / plain:.2f}", f"{middle / ours:.2f}")
    console.print(table)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    if device.type == "mps":
        torch.mps.synchronize()


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"


if __name__ == "__main__":
    typer.run(main)
