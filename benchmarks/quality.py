"""How good finished clips are, measured on footage of people whom no weights were fitted to.

    python benchmarks/quality.py ../shared/clips                     all parts
    python benchmarks/quality.py ../shared/clips --quick speech      8 clips of the first part, in about 3 minutes

The footage holds ``talking`` (people who speak), ``idle`` (presenters who do not) and ``index.csv``. What was tracked
is kept between runs in ``--kept``. See docs/quality.md.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Annotated

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import typer
from quality_footage import Footage, Speaker, cut_voice, make_clip
from quality_mouth import read_output
from quality_speech import Likeness, compare

from heygem_pipeline.clip.presenter import Presenter

SECONDS, QUICK_SECONDS = 10.0, 6.0
"""How much of each voice is used."""
PRESENTERS_EACH = 2
QUICK_PAIRS = 8

app = typer.Typer(add_completion=False)


class Run:
    """What a run measures, and where its clips lie."""

    def __init__(self, footage: Footage, work: Path, quick: bool) -> None:
        self.footage, self.work, self.quick = footage, work, quick
        self.seconds = QUICK_SECONDS if quick else SECONDS
        work.mkdir(parents=True, exist_ok=True)

    def pairs(self) -> list[tuple[Speaker, Presenter]]:
        """Every speaker with several presenters, in turn, so that each presenter is met as often as the others."""
        speakers, presenters = self.footage.speakers(), self.footage.presenters()
        step = max(1, len(presenters) // PRESENTERS_EACH)
        pairs = [
            (speaker, presenters[(place + step * turn) % len(presenters)])
            for turn in range(PRESENTERS_EACH)
            for place, speaker in enumerate(speakers)
        ]
        return pairs[:QUICK_PAIRS] if self.quick else pairs


def says_what_is_heard(run: Run) -> list[dict[str, object]]:
    """Correlation, lag and closures of finished clips against the real speakers."""
    found: list[Likeness] = []
    print_row("voice", "presenter", "asked", "best", "own", "lag, frames", "m b p", "touch", "asked", "chance", "false")
    for speaker, presenter in run.pairs():
        voice = cut_voice(speaker.presenter.path, run.seconds, run.work)
        clip = make_clip(voice, presenter, run.work / f"{speaker.name}.{presenter.path.stem}.mp4")
        like = compare(clip, speaker, read_output(clip.path, presenter.tracks))
        found.append(like)
        _print_likeness(like, speaker)
    _print_summary(found)
    return [asdict(like) for like in found]


def _print_likeness(like: Likeness, speaker: Speaker) -> None:
    closures = like.closures
    print_row(
        f"{like.voice[:18]} ({speaker.lag_source})",
        like.presenter[:16],
        f"{like.predicted:.2f}",
        f"{like.at_best:.2f}",
        f"{like.at_own:.2f}",
        f"{like.lag_frames:+.1f}",
        str(closures.count),
        str(closures.touched),
        str(closures.asked),
        f"{closures.by_chance:.0%}",
        f"{closures.falsely_closed / max(closures.open, 0.01):.0%}",
    )


def _print_summary(found: list[Likeness]) -> None:
    lags = np.abs([like.lag_frames for like in found])
    count = sum(like.closures.count for like in found)
    chance = sum(like.closures.by_chance * like.closures.count for like in found if like.closures.count) / count
    false = sum(like.closures.falsely_closed for like in found) / sum(like.closures.open for like in found)
    print_row(
        f"median of {len(found)}",
        f"lag <=1: {np.mean(lags <= 1):.0%}, <=3: {np.mean(lags <= 3):.0%}",
        f"{median(like.predicted for like in found):.2f}",
        f"{median(like.at_best for like in found):.2f}",
        f"{median(like.at_own for like in found):.2f}",
        f"{median(like.lag_frames for like in found):+.1f}",
        str(count),
        f"{sum(like.closures.touched for like in found) / count:.0%}",
        f"{sum(like.closures.asked for like in found) / count:.0%}",
        f"{chance:.0%}",
        f"{false:.0%}",
    )


PARTS: dict[str, Callable[[Run], list[dict[str, object]]]] = {"speech": says_what_is_heard}


def print_row(*cells: str) -> None:
    """A row of a Markdown table."""
    print("| " + " | ".join(cells) + " |", flush=True)


@app.command()
def main(
    clips: Path,
    parts: Annotated[list[str] | None, typer.Argument()] = None,
    kept: Annotated[Path, typer.Option(help="Folder for face tracks")] = Path("data/quality/kept"),
    work: Annotated[Path, typer.Option(help="Folder for the clips made")] = Path("data/quality/made"),
    quick: Annotated[bool, typer.Option(help="Fewer and shorter clips")] = False,
) -> None:
    """Measure the parts named, or all of them."""
    import cv2

    cv2.setNumThreads(1)
    run = Run(Footage(clips, kept), work, quick)
    for name in parts or PARTS:
        (work / f"{name}.json").write_text(json.dumps(PARTS[name](run), indent=1))


if __name__ == "__main__":
    app()
