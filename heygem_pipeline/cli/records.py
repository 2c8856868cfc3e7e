"""The commands about what is recorded and kept: ``heygem logs``, ``heygem forget`` and ``heygem prune``."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.completion import clip_names, presenter_names, subject_names, voice_names
from heygem_pipeline.cli.terminal import OTHER_FAILURE, output, sentences, tell
from heygem_pipeline.errors import BadInput, UploadMissing

if TYPE_CHECKING:
    from pathlib import Path

    from heygem_pipeline.operations.erasure import ErasurePlan
    from heygem_pipeline.storage.clip_key import ClipKey
    from heygem_pipeline.storage.paths import DataFolders

app = typer.Typer()

PATHS_SHOWN = 20
STYLES = {"ERROR": "red", "WARNING": "yellow"}


@app.command()
def logs(
    name: Annotated[
        str, typer.Argument(help="VOICE/PRESENTER, or a voice or presenter alone", autocompletion=subject_names)
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show new lines while it runs, until Ctrl-C")] = False,
) -> None:
    """Print the log of the latest run of a clip, a voice or a presenter, and how it ended.

    Of a clip whose voice or presenter failed, it is the log of that.
    """
    from logging import getLevelName

    from heygem_pipeline.planning.failed_inputs import run_of_failed_input
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.runs.run_log import latest_run, outcome_of, read_log, subject_in
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences(), open_instance(folders := data_folders()) as instance:
        name = name.removesuffix(".mp4")
        of_input = run_of_failed_input(instance, folders, settings(), name)
        run = of_input or latest_run(instance, name)
        if run is None:
            raise UploadMissing("run.none", name=name)
        if of_input is not None:
            tell(f"{name} was not begun: {subject_in(of_input.tags)} failed. This is the log of that.")
        try:
            for line in read_log(instance, run, follow):
                # As it is in the file: to be searched, and cut at its columns.
                output.print(Text(str(line), STYLES.get(getLevelName(line.level), "")), soft_wrap=True)
        except KeyboardInterrupt:
            return
        outcome = outcome_of(instance, run.run_id)
        output.print(Text(outcome.summary), soft_wrap=True)
        if outcome.under_way:
            output.print("It is still running; heygem logs --follow shows its new lines.")
        if outcome.reason is not None:
            tell(str(outcome.reason))


@app.command()
def forget(
    clips: Annotated[
        list[str] | None, typer.Argument(help="VOICE/PRESENTER, as in data/outputs", autocompletion=clip_names)
    ] = None,
    voice: Annotated[
        list[str] | None, typer.Option(help="A voice: its upload and all its clips", autocompletion=voice_names)
    ] = None,
    presenter: Annotated[
        list[str] | None, typer.Option(help="A presenter: its upload and all its clips", autocompletion=presenter_names)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking")] = False,
) -> None:
    """Delete everything that is kept about clips, voices or presenters, also uploads and records of runs."""
    from heygem_pipeline.operations.erasure import ErasureTarget, erase, plan_erasure, require_idle
    from heygem_pipeline.planning.planner import plan
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.runs.log_file import note
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences(), open_instance(folders := data_folders()) as instance:
        named = [ErasureTarget.of_clip(_clip(name)) for name in clips or ()]
        named += [ErasureTarget(key, None) for key in voice or ()]
        named += [ErasureTarget(None, key) for key in presenter or ()]
        if not named:
            raise BadInput("forget.nothing_named")
        found = [plan_erasure(instance, folders, target) for target in named]
        for kept in found:
            require_idle(kept.runs, kept.target)
            _say_what_goes(kept, folders)
        _say_what_comes_back(found, plan(instance, folders, settings()).clips)
        if not yes and not typer.confirm("Delete all this for good?"):
            output.print("Nothing is deleted.")
            raise typer.Exit(OTHER_FAILURE)
        for kept in found:
            erase(instance, folders, kept)
        # Without the name: this is a log, and somebody may have asked to be forgotten.
        count = sum(len(kept.paths) for kept in found), sum(len(kept.runs) for kept in found)
        note(folders, f"{count[0]} files and the records of {count[1]} runs are deleted.", "forget")
    output.print(f"Deleted: {count[0]} files and the records of {count[1]} runs.")


def _say_what_goes(kept: "ErasurePlan", folders: "DataFolders") -> None:
    from heygem_pipeline.operations.erasure import bytes_of

    output.print(Text(f"What is kept about {kept.target}:", "bold"))
    for what, paths in kept.files.items():
        size = sum(bytes_of(folders, path) for path in paths)
        output.print(Text(f"  {what}: {len(paths)}, {size / 1e6:.1f} MB"))
        for path in paths[:PATHS_SHOWN]:
            output.print(Text(f"    {_short(path, folders)}"), soft_wrap=True)
        if len(paths) > PATHS_SHOWN:
            output.print(f"    and {len(paths) - PATHS_SHOWN} more")
    output.print(f"  records of runs, with their logs: {len(kept.runs)}")


def _say_what_comes_back(found: Sequence["ErasurePlan"], wanted: Collection["ClipKey"]) -> None:
    for kept in found:
        if kept.target.clip in wanted:
            tell(f"{str(kept.target).capitalize()} is still wanted and will be made again.")
    archives = {path for kept in found for path in kept.files.get("ZIPs", ()) if kept.target.presenter is not None}
    if archives:
        tell("A ZIP that holds deleted clips is made again without them at its voice's next delivery.")


def _short(path: "Path", folders: "DataFolders") -> str:
    return str(path.relative_to(folders.root))


def _clip(name: str) -> "ClipKey":
    from heygem_pipeline.storage.clip_key import ClipKey

    clip = ClipKey.from_label(name)
    if clip is None:
        raise UploadMissing("clip.no_pair", name=name)
    return clip


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed")] = False,
) -> None:
    """Remove data that is no longer needed, as every night; uploads stay, and clips too unless you set a limit."""
    from heygem_pipeline.operations.retention import make_room, prune
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.ballast_file import release_ballast
    from heygem_pipeline.storage.paths import data_folders

    with sentences():
        folders = data_folders()
        before = 0
        if dry_run:
            release_ballast(folders)
        else:
            before = make_room(folders, settings())
        with open_instance(folders) as instance:
            pruned = prune(instance, folders, settings(), dry_run)
    table = Table(box=SIMPLE_HEAD)
    table.add_column("what")
    table.add_column("how many", justify="right")
    table.add_column("MB", justify="right")
    table.add_column("why")
    for kind in pruned:
        table.add_row(kind.what, str(kind.count), f"{kind.bytes / 1e6:.1f}", Text(kind.why))
    if pruned:
        output.print(table)
    total = (before + sum(kind.bytes for kind in pruned)) / 1e6
    output.print(f"{total:.1f} MB {'would be' if dry_run else 'were'} removed.", highlight=False)
