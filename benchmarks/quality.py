"""How good finished clips are, measured on footage of people whom no weights were fitted to.

    python -m benchmarks.quality FOOTAGE                     all parts, about a quarter of an hour of one core
    python -m benchmarks.quality FOOTAGE speech --quick      8 clips of one part, about a minute of one core

The folder FOOTAGE holds ``talking`` (people who speak), ``idle`` (presenters who do not) and ``index.csv``. What was
tracked is kept between runs in ``--kept``. Every table is explained in docs/quality.md.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

os.environ.setdefault("OMP_NUM_THREADS", "1")

import typer

from benchmarks.quality_footage import Footage
from benchmarks.quality_peers import beside_others
from benchmarks.quality_picture import picture_around
from benchmarks.quality_run import Run, print_head, print_row
from benchmarks.quality_sheets import sheets
from benchmarks.quality_silence import quiet_in_silence
from benchmarks.quality_speech import says_what_is_heard
from benchmarks.quality_speed import speed
from benchmarks.reenactment import Clip, Row, compare, half_trial, held_trial, ways_of
from heygem_pipeline.lipsync.warp.analysis.calibration import calibrate

QUICK_SPEAKERS = 2

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def reenactment(run: Run) -> list[dict[str, object]]:
    """Every speaker's own mouth drawn again from a held closed frame, and from the other half of the clip."""
    print_head(*(name.replace("_", " ") for name in Row._fields))
    rows: list[Row] = []
    for speaker in run.footage.speakers()[: QUICK_SPEAKERS if run.quick else None]:
        tracks = speaker.presenter.tracks
        clip = Clip(speaker.name, speaker.presenter.open(), tracks, calibrate(tracks))
        for trial in (held_trial(clip), half_trial(clip)):
            for row in compare(clip, trial, ways_of(clip, trial), None):
                print_row(*row)
                rows.append(row)
    return [row._asdict() for row in rows]


PARTS: dict[str, Callable[[Run], list[dict[str, object]]]] = {
    "speech": says_what_is_heard,
    "silence": quiet_in_silence,
    "picture": picture_around,
    "speed": speed,
    "reenactment": reenactment,
    "peers": beside_others,
    "sheets": sheets,
}


@app.command()
def main(
    clips: Annotated[Path, typer.Argument(help="Folder of the footage")],
    parts: Annotated[list[str] | None, typer.Argument(help=", ".join(PARTS))] = None,
    kept: Annotated[Path, typer.Option(help="Folder for face tracks")] = Path("data/quality/kept"),
    work: Annotated[Path, typer.Option(help="Folder for the clips made")] = Path("data/quality/made"),
    strips: Annotated[Path, typer.Option(help="Folder for the strips to look at")] = Path("data/quality/sheets"),
    quick: Annotated[bool, typer.Option(help="Fewer and shorter clips")] = False,
) -> None:
    """Measure the parts named, or all of them."""
    import cv2

    cv2.setNumThreads(1)
    run = Run(Footage(clips, kept), work, strips, quick)
    for name in parts or PARTS:
        print(f"\n{name}\n", flush=True)
        (work / f"{name}.json").write_text(json.dumps(PARTS[name](run), indent=1))


if __name__ == "__main__":
    app()
