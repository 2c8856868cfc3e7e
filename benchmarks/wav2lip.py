"""How fast the engine wav2lip is: network and whole clips, against a plain loop and the arithmetic limit, in one run.

    python benchmarks/wav2lip.py                     on the processor
    python benchmarks/wav2lip.py --device cuda       on a GPU

Weights are random: they cost the same as the public ones. Figures of one round belong together; read the ratios. Where
others work on the machine, what a second of one core yields (encoder included) says more than what the clock says.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
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

from heygem_pipeline.clip.finish import MouthDrawing, finish_clip
from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import Presenter, track_presenter
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.demo.presenters import make_presenters
from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.lipsync.wav2lip.engine import Wav2LipEngine
from heygem_pipeline.lipsync.wav2lip.network.inference import FaceGenerator, FaceInput, default_precision
from heygem_pipeline.lipsync.wav2lip.network.model import MEL_BANDS, MEL_COLUMNS, Wav2LipNetwork
from heygem_pipeline.media.frame_sequence import FrameSequence

PLAIN_BATCH = 128
MATRIX_SIDE = {"cpu": 2048, "cuda": 8192, "mps": 4096}
console = Console(width=120)


@dataclass(frozen=True)
class Speed:
    """Frames a second by the clock, and frames for each second of a core that this process and ffmpeg used."""

    a_second: float
    a_core_second: float


class Stopwatch:
    """Started when made."""

    def __init__(self) -> None:
        self.started, self.used = perf_counter(), _core_seconds()

    def speed(self, frames: float, besides: float = 0.0) -> Speed:
        """Of so many frames until now. besides: seconds of one core's other work to be taken out."""
        clock, cores = perf_counter() - self.started, _core_seconds() - self.used
        return Speed(frames / (clock - besides), frames / (cores - besides))


def _core_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


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
        generator = FaceGenerator(network, where)
        subjects: dict[str, Callable[[], Speed]] = {
            "(a) plain loop, float32, batch 128": lambda: _plain(network, where),
            f"(b) our network, {default_precision(where)}": lambda: _ours(generator, frames),
            "(c) whole clip, 720p": lambda: _clip(generator, voice, presenter, folder),
            "decoding alone, 720p": lambda: _decoding(presenter),
            f"(d) limit, float32: {work / 1e9:.1f} GFLOP a frame": lambda: _limit(where, torch.float32, work),
            f"(d) limit, {default_precision(where)}": lambda: _limit(where, default_precision(where), work),
        }
        _ours(generator, 2 * generator.batch)
        measured: dict[str, list[Speed]] = {name: [] for name in subjects}
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


def _plain(network: Wav2LipNetwork, device: torch.device) -> Speed:
    """The network as anybody would run it first."""
    mels, faces = torch.rand(PLAIN_BATCH, 1, MEL_BANDS, MEL_COLUMNS), torch.rand(PLAIN_BATCH, 6, 96, 96)
    plain = network.to(device)
    with torch.inference_mode():
        if device.type != "cpu":
            plain(mels.to(device), faces.to(device)).cpu()
        watch = Stopwatch()
        plain(mels.to(device), faces.to(device)).cpu()
        speed = watch.speed(PLAIN_BATCH)
    network.to("cpu")
    return speed


def _ours(generator: FaceGenerator, frames: int) -> Speed:
    random = np.random.default_rng(0)
    asked = [
        FaceInput(
            random.uniform(-4, 4, (MEL_COLUMNS, MEL_BANDS)).astype(np.float32),
            random.integers(0, 255, (96, 96, 3), np.uint8),
        )
        for _ in range(frames)
    ]
    watch = Stopwatch()
    for face in generator.generate_faces(asked):
        face()
    return watch.speed(frames)


def _clip(generator: FaceGenerator, voice: Voice, presenter: Presenter, folder: Path) -> Speed:
    """Read, draw, lay over, encode; measuring the sync, which no other program does, is taken out."""
    engine = Wav2LipEngine(generator)
    watch = Stopwatch()
    report = finish_clip(
        voice, presenter, MouthDrawing(draw_mouths(voice, presenter, engine), engine), folder / "clip.mp4"
    ).report
    return watch.speed(report.frames, besides=report.seconds["sync"])


def _decoding(presenter: Presenter) -> Speed:
    watch = Stopwatch()
    count = sum(1 for _ in FrameSequence.open(presenter.path).frames())
    return watch.speed(count)


def _limit(device: torch.device, dtype: torch.dtype, work: float) -> Speed:
    """What the best of several large matrix products would give, were the network nothing else."""
    side = MATRIX_SIDE[device.type]
    one, other = (torch.rand(side, side, device=device, dtype=dtype) for _ in range(2))
    speeds = []
    for _ in range(12):
        _wait(device)
        watch = Stopwatch()
        for _ in range(8):
            torch.matmul(one, other)
        _wait(device)
        speeds.append(watch.speed(8 * 2 * side**3 / work))
    return Speed(max(one.a_second for one in speeds), max(one.a_core_second for one in speeds))


def _compare_batches(network: Wav2LipNetwork, device: torch.device, frames: int) -> None:
    table = Table("faces at once", "frames/s, best of 3")
    for batch in (1, 2, 4, 8, 12, 16, 24, 32, 64, 128):
        generator = FaceGenerator(network, device, batch=batch)
        _ours(generator, batch)
        rounds = max(frames // batch, 2) * batch
        table.add_row(str(batch), f"{max(_ours(generator, rounds).a_second for _ in range(3)):.0f}")
    console.print(table)


def _print(measured: dict[str, list[Speed]]) -> None:
    for unit, of in (("frames/s", lambda one: one.a_second), ("frames a core-second", lambda one: one.a_core_second)):
        table = Table("what", f"{unit}, median", "rounds", "against (a)", "against (b)")
        values = {name: [of(one) for one in speeds] for name, speeds in measured.items()}
        plain, ours = (median(one) for one in list(values.values())[:2])
        for name, one in values.items():
            rounds = ", ".join(f"{value:.1f}" for value in one)
            table.add_row(name, f"{median(one):.1f}", rounds, f"{median(one) / plain:.2f}", f"{median(one) / ours:.2f}")
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
