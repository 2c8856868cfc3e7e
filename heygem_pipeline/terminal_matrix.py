"""Where every clip stands, as a matrix for the terminal: a row a voice, a column a presenter."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from heygem_pipeline.automation.planner import Plan, Standing

SIGNS = {
    "done": ("done", "green"),
    "stale": ("stale", "yellow"),
    "ready": ("ready", "cyan"),
    "queued": ("queued", "cyan"),
    "running": ("running", "bold blue"),
    "waiting": ("waiting", "dim"),
    "failed": ("failed", "red"),
    "removed": ("removed", "dim"),
}
"""Words, not signs: they mean something also where there are no colours, and can be searched for."""

WIDEST_COLUMN = 16
NAME_COLUMN = 24
MOST_ROWS = 60
MOST_SENTENCES = 20


def matrix(found: "Plan", width: int) -> RenderableType:
    """The matrix in as many parts as the width asks for, what failed with its sentence, and the counts."""
    presenters = list(dict.fromkeys(template for _, template in found.clips))
    voices = list(dict.fromkeys(audio for audio, _ in found.clips))
    fit = max(1, (width - NAME_COLUMN - 2) // (WIDEST_COLUMN + 1))
    parts: list[RenderableType] = [
        _table(found, voices[:MOST_ROWS], presenters[start : start + fit]) for start in range(0, len(presenters), fit)
    ]
    if len(voices) > MOST_ROWS:
        parts.append(Text(f"{len(voices) - MOST_ROWS} more voices are counted below and not shown."))
    failures = list(_failures(found))
    parts += [Text(line) for line in failures[:MOST_SENTENCES]]
    if len(failures) > MOST_SENTENCES:
        parts.append(Text(f"{len(failures) - MOST_SENTENCES} more failures are not shown."))
    waits = {standing.sentence for standing in found.clips.values() if standing.stand.value == "waiting"}
    parts += [Text(sentence) for sentence in sorted(waits - {""})]
    counts = [f"{found.counts[stand]} {stand.value}" for stand in sorted(found.counts)]
    parts.append(Text(", ".join(counts) or "No clip is wanted: drop a voice and a presenter into their folders."))
    return Group(*parts)


def _table(found: "Plan", voices: Sequence[str], presenters: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", max_width=NAME_COLUMN, no_wrap=True, overflow="ellipsis")
    for presenter in presenters:
        table.add_column(Text(presenter), max_width=WIDEST_COLUMN, no_wrap=True, overflow="ellipsis")
    for voice in voices:
        table.add_row(Text(voice), *(_cell(found.clips.get((voice, presenter))) for presenter in presenters))
    return table


def _cell(standing: "Standing | None") -> Text:
    if standing is None:
        return Text("")
    word, style = SIGNS[standing.stand.value]
    return Text(word if standing.share is None else f"{standing.share:.0%}", style)


def _failures(found: "Plan") -> Iterator[str]:
    """A line for every voice, presenter and clip that failed; a clip whose voice failed is not told again."""
    told = set()
    for kind, standings in (("Voice", found.voices), ("Presenter", found.presenters)):
        for key, standing in standings.items():
            if standing.stand.value == "failed":
                told.add(standing.sentence)
                yield f"{kind} {key}: {standing.sentence}"
    clips = [(clip, s) for clip, s in found.clips.items() if s.stand.value == "failed" and s.sentence not in told]
    for sentence, group in groupby(clips, key=lambda entry: entry[1].sentence):
        names = [f"{audio}/{template}" for (audio, template), _ in group]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield f"{', '.join(names[:3])}{more}: {sentence}"
