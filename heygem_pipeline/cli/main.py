"""The command ``heygem``."""

import json
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from heygem_pipeline.cli.campaigns import app as campaign_commands
from heygem_pipeline.cli.checkpoints import app as checkpoint_commands
from heygem_pipeline.cli.clips import app as operator_commands
from heygem_pipeline.cli.records import app as record_commands
from heygem_pipeline.cli.studio import PORT
from heygem_pipeline.cli.studio import app as studio_commands
from heygem_pipeline.cli.terminal import (
    OTHER_FAILURE,
    StageBars,
    clip_table,
    findings_table,
    messages,
    output,
    sentences,
    tell,
)

app = typer.Typer(help="N voices x M presenters: talking-head clips.", no_args_is_help=True, add_completion=False)
app.add_typer(campaign_commands, name="campaign")
app.add_typer(checkpoint_commands, name="checkpoints")
app.add_typer(operator_commands)
app.add_typer(record_commands)
app.add_typer(studio_commands)


@app.command()
def generate(
    audio: Annotated[Path, typer.Option(help="The voice: a sound file, or a video whose sound is used")],
    template: Annotated[Path, typer.Option(help="The presenter: a video, or a picture")],
    output_file: Annotated[Path, typer.Option("--output", help="The MP4 to write")],
    engine: Annotated[str | None, typer.Option(help="Lip-sync engine; default: the setting HEYGEM_ENGINE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON instead of a table")] = False,
) -> None:
    """Make one clip, without a Dagster instance."""
    from heygem_pipeline.clip.generate import generate_clip

    with sentences(), StageBars(messages) as bars:
        report = generate_clip(audio, template, output_file, engine, bars.show)
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        output.print(clip_table([(report.template, report, str(output_file), None)]))


@app.command()
def doctor() -> None:
    """Check what is installed and what is missing; exit status 1 if the default engine cannot run."""
    from heygem_pipeline.cli.doctor import examine

    with sentences():
        findings = list(examine())
    output.print(findings_table(findings))
    if any(finding.needed and not finding.well for finding in findings):
        raise typer.Exit(1)


@app.command()
def ingest() -> None:
    """Register the files in data/audio and data/templates, so that Dagster knows them."""
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.runs.partitions import take_in_uploads
    from heygem_pipeline.storage.folders import data_folders
    from heygem_pipeline.uploads.registry import UploadKind, Uploads

    with sentences(), open_instance(folders := data_folders()) as instance:
        taken_in = take_in_uploads(instance, folders)
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
    from heygem_pipeline.storage.folders import data_folders

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
    from heygem_pipeline.operations.servers import become_daemon, become_webserver, serve
    from heygem_pipeline.storage.folders import data_folders

    with sentences():
        folders = data_folders()
        if only == "webserver":
            become_webserver(folders, host, port, path_prefix)
        if only == "daemon":
            become_daemon(folders)
        if studio_port:
            messages.print(f"Studio: http://{host}:{studio_port}")
        messages.print(f"Dagster's page: http://{host}:{port}{path_prefix} (ready in some seconds; Ctrl-C stops both)")
        status = serve(folders, host, port, path_prefix, studio_port, messages.print)
    raise typer.Exit(status)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The tar file to write, outside the data folder")],
) -> None:
    """Copy the data folder into one file; clips may be made meanwhile."""
    from heygem_pipeline.operations.backup import back_up
    from heygem_pipeline.storage.folders import data_folders

    with sentences():
        copied = back_up(data_folders(), file)
    output.print(f"{copied.files} files, {copied.bytes / 1e6:.1f} MB in {file}", soft_wrap=True, highlight=False)


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file that heygem backup wrote")]) -> None:
    """Put a backup into the data folder, which must be empty and not in use."""
    from heygem_pipeline.operations.backup import restore
    from heygem_pipeline.storage.folders import data_folders

    with sentences():
        copied = restore(data_folders(), file)
    output.print(f"{copied.files} files, {copied.bytes / 1e6:.1f} MB are back. Start the pipeline, or: heygem ingest")


def main() -> None:
    """Run the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
