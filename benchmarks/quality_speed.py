"""How fast the engine draws, on one core, without encoding."""

import os
from dataclasses import asdict, dataclass
from statistics import median
from time import process_time

from benchmarks.quality_footage import cut_voice, frame_count
from benchmarks.quality_run import Run, print_head, print_row
from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.lipsync.engine_registry import load_engine

NEAR_720 = (690, 740)
"""Shorter side, pixels, of the presenters that are measured."""

SECONDS = 6.0
REPEATS = 3


@dataclass(frozen=True)
class Speed:
    """Seconds are those the processor spent, so that other work counts little. One for each repetition.

    preparing: seconds until the first patch: prediction, and looking at the presenter where its own mouths are used.
    whole: frames a second of all of it, decoding included: the engine reads frames only as far as it needs them.
    own_mouths: share of the frames in which the presenter's own mouth is seen (way B).
    """

    presenter: str
    size: tuple[int, int]
    own_mouths: float
    preparing: list[float]
    whole: list[float]


def speed(run: Run) -> list[dict[str, object]]:
    """Draw clips and throw them away, on one core."""
    held = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(held)})
    print_head("presenter", "size", "own mouths", "frames/s: median", "runs", "before, s")
    found = []
    for speaker, presenter in run.one_voice_each() + run.speaking_presenters():
        if not NEAR_720[0] <= min(presenter.tracks.size) <= NEAR_720[1]:
            continue
        voice = cut_voice(speaker.presenter.path, SECONDS, run.work)
        rates = _measure(voice, presenter)
        found.append(rates)
        print_row(
            rates.presenter,
            f"{rates.size[0]} x {rates.size[1]}",
            f"{rates.own_mouths:.0%}",
            f"{median(rates.whole):.0f}",
            ", ".join(f"{rate:.0f}" for rate in rates.whole),
            f"{median(rates.preparing):.1f}",
        )
    os.sched_setaffinity(0, held)
    return [asdict(rates) for rates in found]


def _measure(voice: Voice, presenter: Presenter) -> Speed:
    count, own = frame_count(voice, presenter), 0
    preparing, whole = [], []
    for _ in range(REPEATS):
        started = process_time()
        patches = draw_mouths(voice, presenter, load_engine("warp"))
        own = int(next(patches).own_mouth > 0)
        preparing.append(process_time() - started)
        own += sum(patch.own_mouth > 0 for patch in patches)
        whole.append(count / (process_time() - started))
    return Speed(presenter.path.stem, presenter.tracks.size, own / count, preparing, whole)
