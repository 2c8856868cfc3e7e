"""Where every clip stands, as a matrix for the terminal."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from heygem_pipeline.planning.plan import Plan
    from heygem_pipeline.planning.status import Status
    from heygem_pipeline.runs.cluster_workers import Worker

SIGNS = {
    "done": ("done", "green"),
    "stale": ("stale", "yellow"),
    "ready": ("ready", "cyan"),
    "queued": ("queued", "cyan"),
    "running": ("running", "bold blue"),
    "waiting": ("waiting", "dim"),
    "failed": ("failed", "red"),
    "cancelled": ("cancelled", "yellow"),
    "interrupted": ("interrupted", "yellow"),
    "removed": ("removed", "dim"),
}
"""Words, not signs: they mean something also where there are no colours, and can be searched for."""

CANCELLED_CODE = "clip.cancelled"
"""Of the reason of what somebody cancelled: the planner counts it as failed, since it is tried again the same way."""

COLUMN_WIDTHS = (16, 12, 7)
"""Columns of the terminal for one column of the matrix: the widest with which all are beside each other, else 16."""

GAP = 2
NAME_WIDTHS = (10, 24)
"""The narrowest and the widest column of names, a quarter of the terminal between them."""

MOST_ROWS = 60
MOST_SENTENCES = 20
SENTENCES_ON_SCREEN = 3
HEAD_LINES = 4


Wording = Callable[["Status"], str]
"""What a status is called."""


def word_of(status: "Status", killed: Collection[str] = ()) -> str:
    """The word for a status.

    Args:
        killed: runs that the records call running, but that nobody runs any more.
    """
    if status.state.value == "failed" and status.reason is not None and status.reason.code == CANCELLED_CODE:
        return "cancelled"
    if status.state.value == "running" and status.run_id in killed:
        return "interrupted"
    return status.state.value


def matrix(found: "Plan", width: int, height: int | None = None, word: Wording = word_of) -> RenderableType:
    """The matrix in as many parts as the width asks for, what failed with its sentence, and the counts.

    The longer side goes down, the shorter across.

    Args:
        height: of a screen that does not scroll; what matters most comes first there, and rows in which nothing happens
            are left out where it is too low.
    """
    voices = list(dict.fromkeys(clip.voice for clip in found.clips))
    presenters = list(dict.fromkeys(clip.presenter for clip in found.clips))
    turned = len(presenters) > len(voices)
    cells = {
        (clip.presenter, clip.voice) if turned else (clip.voice, clip.presenter): status
        for clip, status in found.clips.items()
    }
    down, across = (presenters, voices) if turned else (voices, presenters)
    name_width = min(max(width // 4, NAME_WIDTHS[0]), NAME_WIDTHS[1])
    room = width - name_width - GAP
    column = next((column for column in COLUMN_WIDTHS if room // (column + GAP) >= len(across)), COLUMN_WIDTHS[0])
    fit = max(1, room // (column + GAP))
    summary = _summary(found, MOST_SENTENCES if height is None else SENTENCES_ON_SCREEN, word)
    most = MOST_ROWS
    if height is not None:
        down = sorted(down, key=lambda name: not any(_is_busy(cells.get((name, other))) for other in across))
        parts = -(-len(across) // fit)
        used = sum(max(1, -(-line.cell_len // width)) for line in summary) + 2
        most = max(1, (height - used) // max(1, parts) - HEAD_LINES)
    kind = "presenters" if turned else "voices"
    tables: list[RenderableType] = [
        _table(cells, down[:most], across[start : start + fit], column, name_width, word)
        for start in range(0, len(across), fit)
    ]
    if len(down) > most:
        summary.append(Text(f"{len(down) - most} more {kind} are counted and not shown."))
    return Group(*tables, *summary) if height is None else Group(*summary, *tables)


def _summary(found: "Plan", most: int, word: Wording) -> list[Text]:
    """What failed, what holds clips back, and the counts."""
    failures = list(_failures(found, word))
    lines = failures[:most]
    if len(failures) > most:
        lines.append(f"{len(failures) - most} more failures are not shown.")
    waiting = (status for status in found.clips.values() if status.state.value == "waiting")
    lines += sorted({str(status.reason) for status in waiting if status.reason is not None})
    said = Counter(word(status) for status in found.clips.values())
    if said["interrupted"]:
        lines.append("Nothing runs now. What was interrupted goes on with: heygem up, or: heygem batch")
    counts = [f"{said[name]} {name}" for name in sorted(said)]
    lines.append(", ".join(counts) or "No clip is wanted: drop a voice and a presenter into their folders.")
    return [Text(line) for line in lines]


def _is_busy(status: "Status | None") -> bool:
    return status is not None and status.state.value in ("running", "failed")


def _table(
    cells: Mapping[tuple[str, str], "Status"],
    down: Sequence[str],
    across: Sequence[str],
    column: int,
    name_width: int,
    word: Wording,
) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0))
    table.add_column("", max_width=name_width, no_wrap=True)
    for name in across:
        table.add_column(Text(_shortened(name, 2 * column)), max_width=column, overflow="fold", vertical="bottom")
    for name in down:
        row = (_cell(cells.get((name, other)), word) for other in across)
        table.add_row(Text(_shortened(name, name_width)), *row)
    return table


def _shortened(name: str, width: int) -> str:
    """The name without its middle: names are often told apart by a number at their end."""
    if cell_len(name) <= width:
        return name
    head, tail = set_cell_size(name, width // 2).rstrip(), name
    while cell_len(tail) > width - width // 2 - 1:
        tail = tail[1:]
    return f"{head}…{tail}"


def _cell(status: "Status | None", word: Wording) -> Text:
    if status is None:
        return Text("")
    shown, style = SIGNS[word(status)]
    told = status.share is not None and shown == "running"
    return Text(f"{status.share:.0%}" if told else shown, style)


def _failures(found: "Plan", word: Wording) -> Iterator[str]:
    """A line for every voice, presenter and clip that failed; a clip whose voice failed is not told again."""
    told = set()
    for kind, statuses in (("Voice", found.voices), ("Presenter", found.presenters)):
        for key, status in statuses.items():
            if word(status) == "failed":
                told.add(status.reason)
                yield f"{kind} {key}: {status.reason}"
    clips = [(clip, s) for clip, s in found.clips.items() if word(s) == "failed" and s.reason not in told]
    for reason, group in groupby(clips, key=lambda entry: entry[1].reason):
        names = [clip.label for clip, _ in group]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield f"{', '.join(names[:3])}{more}: {reason}"


def worker_in_words(worker: "Worker") -> str:
    """What it is and does, in a line."""
    parts = [worker.cards or "no graphics card", worker.engine if worker.queue == "gpu" else worker.tracker]
    parts += [f"version {worker.version}", f"clock {worker.seconds_apart:+.1f} s"]
    at = ", ".join(run.run_id[:8] for run in worker.runs)
    work = f"at {at}" if at and worker.is_there else worker.state.value
    return f"{worker.name}: {work}{f' ({worker.reason})' if worker.reason else ''}; {', '.join(parts)}"
