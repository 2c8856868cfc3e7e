"""The commands ``heygem preview`` and ``heygem compare``: some seconds, before a clip is made."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.answers import JSON_HELP, say
from heygem_pipeline.cli.generate import STILL_HELP, settings_keeping_still
from heygem_pipeline.cli.terminal import OTHER_FAILURE, StageBars, clip_table, messages, output, sentences
from heygem_pipeline.settings import settings

app = typer.Typer()


@app.command()
def preview(
    audio: Annotated[Path, typer.Option(help="The voice")],
    template: Annotated[Path, typer.Option(help="The presenter")],
    output_file: Annotated[Path, typer.Option("--output", help="The MP4 to write")],
    begin: Annotated[float, typer.Option("--from", min=0, help="Second of the voice at which it begins")] = 0.0,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="How many seconds")] = 5.0,
    engine: Annotated[str | None, typer.Option(help="Lip-sync engine; default: the setting HEYGEM_ENGINE")] = None,
    still: Annotated[bool, typer.Option("--still", help=STILL_HELP)] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Make some seconds of a clip, to see what it will look like; no more of the presenter is tracked than that."""
    from heygem_pipeline.clip.excerpt import Stretch, generate_excerpt

    with sentences(as_json, (audio, template, output_file)), StageBars(messages) as bars:
        chosen, stretch = settings_keeping_still(still), Stretch(seconds, begin)
        moving = chosen.photographs_move
        report = generate_excerpt(audio, template, output_file, stretch, chosen, engine, bars.show, moving)
    if as_json:
        say(report.as_json() | {"path": str(output_file.absolute())})
    else:
        output.print(clip_table([(report.template, report, str(output_file), None)]))


@app.command()
def compare(
    audio: Annotated[Path, typer.Option(help="The voice")],
    template: Annotated[Path, typer.Option(help="The presenter")],
    engines: Annotated[
        str | None,
        typer.Option(help="Names with commas between; program=FILE.yaml for one of several programs; default: all"),
    ] = None,
    folder: Annotated[Path, typer.Option("--output", help="Folder for the page and its clips")] = Path("comparison"),
    seconds: Annotated[float, typer.Option(min=1, max=60, help="How long each clip is")] = 5.0,
) -> None:
    """Make the same seconds with several engines, and one page that shows them side by side."""
    from heygem_pipeline.clip.comparison import ChosenEngine, compare_engines
    from heygem_pipeline.clip.comparison_page import comparison_page, facts_of
    from heygem_pipeline.lipsync.engine_registry import ENGINES
    from heygem_pipeline.storage.atomic import atomic_path

    table = Table("engine", "time", "sync", "licence", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    with sentences(), StageBars(messages) as bars:
        names = dict.fromkeys(name for name in (engines or ",".join(ENGINES)).split(",") if name.strip())
        chosen = [ChosenEngine.of(name, settings()) for name in names]
        clips = []
        for clip in compare_engines(audio, template, chosen, folder, seconds, settings(), bars.show):
            clips.append(clip)
            facts = facts_of(clip)
            found = Text(f"no clip: {clip.lack}", "red") if clip.report is None else Text(facts["Time"])
            table.add_row(Text(clip.engine.label), found, Text(facts.get("Sync", "")), Text(facts["Licence"]))
        page = folder / "index.html"
        with atomic_path(page) as temporary:
            temporary.write_text(comparison_page(audio.name, template.name, clips), encoding="utf-8")
    output.print(table)
    output.print(Text(f"The page: {page}"), soft_wrap=True)
    if all(clip.report is None for clip in clips):
        raise typer.Exit(OTHER_FAILURE)
