"""What the command line shows: progress bars, tables, and an error's one sentence."""

import errno
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import TracebackType

from pydantic import ValidationError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.doctor import Finding
from heygem_pipeline.errors import BadInput, PipelineError
from heygem_pipeline.messages.message import Message
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.storage.atomic import NO_ROOM, free_bytes
from heygem_pipeline.storage.printable_text import shown

WIDEST_TABLE = 110
"""Columns: in a narrower terminal lines run over, so that a path can still be copied."""

output = Console()
output.width = max(output.width, WIDEST_TABLE)
messages = Console(stderr=True)

FULL_BYTES = 2**20
"""With less, a database cannot be written to."""

BAD_INPUT = 2
OTHER_FAILURE = 1


@contextmanager
def interruption() -> Iterator[Event]:
    """Give an event that Ctrl-C sets, so that what goes on in a loop ends between two steps and not within one.

    An exception that a signal raises is lost where it meets a callback of a library.
    """
    interrupted = Event()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def sentences() -> Iterator[None]:
    """Tell a named error in its one sentence, and leave with 2 for bad input, 1 for anything else."""
    try:
        yield
    except PipelineError as error:
        tell(str(error))
        sys.exit(BAD_INPUT if isinstance(error, BadInput) else OTHER_FAILURE)
    except BrokenPipeError:
        raise
    except OSError as error:
        tell(str(_refused(error)))
        sys.exit(BAD_INPUT if error.errno == errno.ENAMETOOLONG else OTHER_FAILURE)
    except ValidationError as error:
        for wrong in error.errors():
            name = "HEYGEM_" + "_".join(map(str, wrong["loc"])).upper()
            tell(f"The setting {name} is wrong: {wrong['msg']}.")
        sys.exit(OTHER_FAILURE)
    except Exception as error:
        history = error if isinstance(error, sqlite3.Error) else getattr(error, "orig", None)
        if not isinstance(history, sqlite3.Error):
            raise
        tell(str(_history_closed(history)))
        sys.exit(OTHER_FAILURE)


def _refused(error: OSError) -> Message:
    name = shown(Path(str(error.filename)).name) if error.filename else ""
    if error.errno == errno.ENAMETOOLONG:
        return Message("name.too_long", name=name)
    if error.errno in NO_ROOM:
        return Message("disk.no_room")
    return Message("system.refused", file=name, reason=error.strerror or str(error))


def _history_closed(error: sqlite3.Error) -> Message:
    """Why Dagster's databases, the history of what was made, cannot be used."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return Message("history.damaged")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")) and _is_full():
        return Message("disk.no_room")
    return Message("history.closed", reason=str(error))


def _is_full() -> bool:
    from heygem_pipeline.settings import settings

    return free_bytes(settings().data) < FULL_BYTES


def tell(sentence: str) -> None:
    """Print a sentence to stderr as it is."""
    messages.print(sentence, markup=False, highlight=False, soft_wrap=True)


class StageBars:
    """A bar a stage; also the display of the graph's steps. Shows nothing where there is no terminal."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "StageBars":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, step: str, partition: str, done: int, total: int) -> None:
        """Show ``done`` of ``total`` frames of a step on one partition or file."""
        name = f"{step} {partition}"
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(escape(name), total=total)
        self._progress.update(self._tasks[name], completed=done)


def clip_table(rows: Sequence[tuple[str, ClipReport | None, str, str | None]]) -> Table:
    """A row a clip: its name, its report, where it lies; or the sentence of its failure."""
    table = Table("clip", "length", "spent", "speed", "sync", "checks", "path", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.caption = "Spent and speed: of the clip alone. Sync: frames, + where the sound is late."
    for name, report, path, failure in rows:
        if report is None:
            table.add_row(name, "", "", "", "", Text("failed", "red"), Text(failure or ""))
            continue
        offset = report.sync_offset_frames
        table.add_row(
            Text(name, overflow="fold"),
            f"{report.duration:.1f} s",
            f"{report.own_seconds:.1f} s",
            f"{report.speed:.2f} x",
            "-" if offset is None else f"{offset:+z.1f}",
            report.verdict.value,
            Text(_short(path), overflow="fold"),
        )
    return table


def findings_table(findings: Sequence[Finding]) -> Table:
    """A row a finding of the doctor."""
    table = Table("", "what", "found", "how to fix it")
    for finding in findings:
        sign = "ok" if finding.well else ("missing" if finding.needed else "note")
        style = "green" if finding.well else ("red" if finding.needed else "yellow")
        table.add_row(
            Text(sign, style), finding.subject, Text(finding.found), "" if finding.well else Text(finding.mend)
        )
    return table


def _short(path: str) -> str:
    """The path as it is typed from here, where it lies below."""
    absolute = Path(path).absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else path
