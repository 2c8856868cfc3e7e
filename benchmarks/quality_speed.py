"""How fast the engine draws, on one core, without encoding."""

import os
from dataclasses import asdict, dataclass
from statistics import median
from time import process_time

from quality_footage import cut_voice, frame_count
from quality_run import Run, print_head, print_row

from heygem_pipeline.clip.mouths import draw_mouths
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.lipsync.engines import load_engine

REPEATS = 3


@dataclass(frozen=True)
class Speed:
    """Frames a second of one core. drawn: prediction and drawing, decoding taken off. with_decoding: all of it."""

    presenter: str
    size: tuple[int, int]
    drawn: list[float]
    with_decoding: list[float]


def speed(run: Run) -> list[dict[str, object]]:
    """Draw clips and throw them away; seconds are those of the processor, so that other work counts little."""
    print_head("presenter", "size", "drawing, frames/s: median", f"{REPEATS} runs", "with decoding")
    found = []
    pairs = run.one_voice_each()
    held = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(held)})
    for speaker, presenter in pairs:
        voice = cut_voice(speaker.presenter.path, run.seconds, run.work)
        measured = [measure_speed(voice, presenter) for _ in range(REPEATS)]
        drawn, whole = [rates[0] for rates in measured], [rates[1] for rates in measured]
        size = presenter.tracks.size
        found.append(Speed(presenter.path.stem, size, drawn, whole))
        print_row(
            presenter.path.stem,
            f"{size[0]} x {size[1]}",
            f"{median(drawn):.0f}",
            ", ".join(f"{rate:.0f}" for rate in drawn),
            f"{median(whole):.0f}",
        )
    os.sched_setaffinity(0, held)
    return [asdict(rates) for rates in found]


def measure_speed(voice: Voice, presenter: Presenter) -> tuple[float, float]:
    """Frames a second without and with decoding."""
    count = frame_count(voice, presenter)
    started = process_time()
    for _ in presenter.open().presentation(count):
        pass
    decoded = process_time()
    for _ in draw_mouths(voice, presenter, load_engine("warp")):
        pass
    whole = process_time() - decoded
    return count / max(whole - (decoded - started), 1e-9), count / whole
