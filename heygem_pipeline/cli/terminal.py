"""What the command line shows: progress bars, tables, and an error's one sentence."""

import errno
import signal
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import NoReturn

from pydantic import ValidationError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.answers import refusal, say
from heygem_pipeline.cli.doctor import Finding, Need
from heygem_pipeline.errors import BadInput, NotReady, PipelineError
from heygem_pipeline.messages.message import Message
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.storage.atomic import NO_ROOM, free_bytes
from heygem_pipeline.storage.printable_text import shown

SIGN_STYLES = {"ok": "green", "missing": "red", "note": "yellow", "none": "dim"}

WIDEST_TABLE = 110
"""Columns: in a narrower terminal lines run over, so that a path can still be copied."""

output = Console()
output.width = max(output.width, WIDEST_TABLE)
messages = Console(stderr=True)

FULL_BYTES = 2**20
"""With less, a database cannot be written to."""

OTHER_FAILURE = 1
"""Exit status: something is not made, or an error that nobody foresaw."""

BAD_INPUT = 2
"""Exit status: a file or a name is at fault; the same call will not work the next time either."""

NOT_READY = 3
"""Exit status: this machine is at fault: a program, weights, room, a setting; the files are not."""

WRONG_USE = 64
"""Exit status: the command was called wrongly; EX_USAGE of sysexits(3)."""

INTERRUPTED = 130
"""Exit status: Ctrl-C."""


SECONDS_TO_ANSWER = 0.1
"""Within them a loop sees that Ctrl-C was pressed."""


class Interruption:
    """Whether Ctrl-C was pressed. No threading.Event, whose lock the handler would wait for while the wait holds it."""

    def __init__(self) -> None:
        self._pressed = False

    def press(self) -> None:
        """Remember it."""
        self._pressed = True

    def wait(self, seconds: float) -> bool:
        """Wait for it so long at most, and return whether it came, now or earlier."""
        deadline = monotonic() + seconds
        while not self._pressed and (left := deadline - monotonic()) > 0:
            sleep(min(left, SECONDS_TO_ANSWER))
        return self._pressed


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Have Ctrl-C remembered, so that what goes on in a loop ends between two steps and not within one.

    An exception that a signal raises is lost where it meets a callback of a library.
    """
    interrupted = Interruption()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.press())
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def sentences(as_json: bool = False, files: Iterable[Path] = ()) -> Iterator[None]:
    """Tell a named error in its one sentence on stderr, and leave with the exit status that says what is at fault.

    Args:
        as_json: say it on stdout too, for programs.
        files: among which the one that the error names is looked for.
    """
    try:
        yield
    except PipelineError as error:
        _refuse(error, exit_status_of(error), as_json, files)
    except BrokenPipeError:
        raise
    except OSError as error:
        status = BAD_INPUT if error.errno == errno.ENAMETOOLONG else NOT_READY
        _refuse(_refused(error), status, as_json, files)
    except ValidationError as error:
        wrong = [Message("setting.wrong", name=_setting(at["loc"][0]), problem=at["msg"]) for at in error.errors()]
        for message in wrong[:-1]:
            tell(str(message))
        _refuse(wrong[-1], NOT_READY, as_json, files)
    except Exception as error:
        history = error if isinstance(error, sqlite3.Error) else getattr(error, "orig", None)
        if not isinstance(history, sqlite3.Error):
            raise
        _refuse(_history_closed(history), NOT_READY, as_json, files)


def exit_status_of(error: PipelineError) -> int:
    """What is at fault, as a number for programs."""
    if isinstance(error, BadInput):
        return BAD_INPUT
    return NOT_READY if isinstance(error, NotReady) else OTHER_FAILURE


def _refuse(error: PipelineError | Message, status: int, as_json: bool, files: Iterable[Path]) -> NoReturn:
    if as_json:
        say(refusal(error, files))
    tell(str(error))
    sys.exit(status)


def _setting(field: int | str) -> str:
    return f"HEYGEM_{field}".upper()


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
    """A row a finding of the doctor: first what the defaults need, then what the settings choose, then the rest."""
    table = Table("", "needed by", "what", "found", "how to fix it", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    last = None
    for finding in sorted(findings, key=lambda finding: list(Need).index(finding.need)):
        if last not in (None, finding.need):
            table.add_section()
        last = finding.need
        table.add_row(
            Text(finding.sign, SIGN_STYLES[finding.sign]),
            finding.need.value,
            Text(finding.subject),
            Text(finding.found),
            Text("" if finding.well else finding.mend),
        )
    return table


def _short(path: str) -> str:
    """The path as it is typed from here, where it lies below."""
    absolute = Path(path).absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else path
