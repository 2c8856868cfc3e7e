"""The command ``heygem``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich.table import Table
from typer.core import TyperGroup

from heygem_pipeline.cli.answers import JSON_HELP, say
from heygem_pipeline.cli.campaigns import app as campaign_commands
from heygem_pipeline.cli.checkpoints import app as checkpoint_commands
from heygem_pipeline.cli.clips import app as operator_commands
from heygem_pipeline.cli.comparison import app as comparison_commands
from heygem_pipeline.cli.engines import app as engine_commands
from heygem_pipeline.cli.generate import app as generate_commands
from heygem_pipeline.cli.records import app as record_commands
from heygem_pipeline.cli.speech import app as speech_commands
from heygem_pipeline.cli.studio import PORT
from heygem_pipeline.cli.studio import app as studio_commands
from heygem_pipeline.cli.terminal import (
    INTERRUPTED,
    NOT_READY,
    OTHER_FAILURE,
    WRONG_USE,
    StageBars,
    clip_table,
    findings_table,
    messages,
    output,
    sentences,
    tell,
)
from heygem_pipeline.cli.tokens import app as token_commands
from heygem_pipeline.cli.uploads import app as upload_commands
from heygem_pipeline.cli.worker import app as worker_commands
from heygem_pipeline.garbage_collection import collected_afterwards

_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""What a wrong call raises; typer itself names only the one for wrong values."""


class Commands(TyperGroup):
    """The commands; a wrong call has an exit status of its own."""

    def make_context(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as typer has it
        """Read the first words of the call."""
        with _own_exit_status():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as typer has it
        """Read the rest of the call, and do it."""
        with _own_exit_status():
            return super().invoke(ctx)


@contextmanager
def _own_exit_status() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        setattr(error, "exit_code", WRONG_USE)  # noqa: B010 - typed as a bare exception
        raise
    except typer.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise typer.Exit(INTERRUPTED) from error
        raise


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"heygem {version('heygem-pipeline')}")
        raise typer.Exit


app = typer.Typer(cls=Commands, no_args_is_help=True)
app.add_typer(generate_commands)
app.add_typer(comparison_commands)
app.add_typer(campaign_commands, name="campaign")
app.add_typer(checkpoint_commands, name="checkpoints")
app.add_typer(engine_commands, name="engine")
app.add_typer(operator_commands)
app.add_typer(record_commands)
app.add_typer(speech_commands)
app.add_typer(studio_commands)
app.add_typer(worker_commands)
app.add_typer(token_commands, name="token")
app.add_typer(upload_commands)


@app.callback()
def heygem(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """N voices x M presenters: talking-head clips.

    Exit status: 0 done; 1 something is not made; 2 a file is at fault; 3 this machine is; 64 wrong use; 130 Ctrl-C.
    """


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False) -> None:
    """Check what is installed and what is missing; exit status 3 if clips cannot be made as it is set up."""
    from heygem_pipeline.cli.doctor import examine

    with sentences(as_json):
        findings = list(examine())
    fatal = any(finding.fatal for finding in findings)
    if as_json:
        say({"ready": not fatal, "findings": [finding.as_json() for finding in findings]})
    else:
        output.print(findings_table(findings))
    if fatal:
        raise typer.Exit(NOT_READY)


@app.command()
def ingest() -> None:
    """Register the files in data/audio, data/scripts and data/templates, so that Dagster knows them."""
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.runs.partitions import take_in_uploads
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders
    from heygem_pipeline.uploads.registry import UploadKind, Uploads

    with sentences(), open_instance(folders := data_folders()) as instance:
        taken_in = take_in_uploads(instance, folders, photographs_move=settings().photographs_move)
        uploads = Uploads(folders)
        away = [reason for kind in UploadKind if (reason := uploads.away(kind)) is not None]
    table = Table("kind", "files", "new", "gone")
    for kind, result in taken_in.items():
        table.add_row(kind.value, str(len(result.known)), ", ".join(result.added), ", ".join(result.retired))
    output.print(table)
    for reason in away:
        tell(str(reason))
    if away:
        raise typer.Exit(OTHER_FAILURE)


@app.command()
def demo() -> None:
    """Make 2 voices x 2 presenters = 4 clips through the Dagster graph."""
    from heygem_pipeline.operations.demo import run_demo
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences(), StageBars(messages) as bars:
        clips, sheet = run_demo(data_folders(), settings(), bars, messages.print)
    rows = [(str(clip.key), clip.report, str(clip.path), clip.failure) for clip in clips]
    output.print(clip_table(rows))
    there = sum(clip.was_there for clip in clips)
    if there:
        output.print(f"{there} of {len(clips)} clips were there already and up to date; they were not made again.")
    output.print(f"Contact sheet: {sheet}")
    if any(clip.failure for clip in clips):
        raise typer.Exit(OTHER_FAILURE)


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Address on which the pages listen")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Dagster's page")] = 3000,
    path_prefix: Annotated[str, typer.Option(help="Path of Dagster's page on the server, for example /dagster")] = "",
    studio_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the Studio; 0: do not start it")] = PORT,
    only: Annotated[
        Literal["webserver", "daemon"] | None, typer.Option(help="Start only this one, for a service manager")
    ] = None,
) -> None:
    """Start the Studio, Dagster's page and the daemon; Ctrl-C stops them."""
    from heygem_pipeline.operations.stop_signals import StopSignals

    if only is not None:
        _become(only, host, port, path_prefix)
    # Before the large imports.
    stop_signals = StopSignals()
    with collected_afterwards():
        from heygem_pipeline.operations.servers import serve
        from heygem_pipeline.storage.paths import data_folders

    with sentences():
        folders = data_folders()
        if studio_port:
            messages.print(f"Studio: http://{host}:{studio_port}")
        messages.print(f"Dagster's page: http://{host}:{port}{path_prefix} (ready in some seconds; Ctrl-C stops both)")
        status = serve(folders, host, port, path_prefix, studio_port, messages.print, stop_signals)
    raise typer.Exit(status)


def _become(only: Literal["webserver", "daemon"], host: str, port: int, path_prefix: str) -> NoReturn:
    from heygem_pipeline.operations.servers import become_daemon, become_webserver
    from heygem_pipeline.storage.paths import data_folders

    with sentences():
        if only == "webserver":
            become_webserver(data_folders(), host, port, path_prefix)
        become_daemon(data_folders())


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The tar file to write, outside the data folder")],
) -> None:
    """Copy the data folder into one file; clips may be made meanwhile."""
    from heygem_pipeline.operations.backup import back_up
    from heygem_pipeline.storage.paths import data_folders

    with sentences():
        copied = back_up(data_folders(), file)
    output.print(f"{copied.files} files, {copied.bytes / 1e6:.1f} MB in {file}", soft_wrap=True, highlight=False)


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file that heygem backup wrote")]) -> None:
    """Put a backup into the data folder, which must be empty and not in use."""
    from heygem_pipeline.operations.backup import restore
    from heygem_pipeline.storage.paths import data_folders

    with sentences():
        copied = restore(data_folders(), file)
    output.print(f"{copied.files} files, {copied.bytes / 1e6:.1f} MB are back. Start the pipeline, or: heygem ingest")


def main() -> None:
    """Run the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
