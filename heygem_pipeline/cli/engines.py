"""The commands ``heygem engine ...``."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.terminal import OTHER_FAILURE, messages, output, sentences
from heygem_pipeline.settings import settings

app = typer.Typer(help="Lip-sync engines: try one, or describe a program", no_args_is_help=True)


@app.command()
def check(name: Annotated[str, typer.Argument(help="Name of an engine, as its package registers it")]) -> None:
    """Try whether an engine keeps what every engine promises; exit status 1 if not."""
    from heygem_pipeline.lipsync.contract.check import check_engine

    broken = 0
    table = Table("", "what is promised", "what was seen", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    with sentences(), TemporaryDirectory() as folder, messages.status("Trying") as status:
        for outcome in check_engine(name, settings(), Path(folder)):
            status.update(f"Tried: {outcome.sentence}")
            broken += not outcome.kept
            sign = Text("kept", "green") if outcome.kept else Text("BROKEN", "red")
            table.add_row(sign, outcome.sentence, Text(outcome.seen))
    output.print(table)
    if broken:
        output.print(f"{name} breaks {broken} of {table.row_count} promises.")
        raise typer.Exit(OTHER_FAILURE)
    output.print(f"{name} keeps all {table.row_count} promises.")


@app.command()
def recipe(
    name: Annotated[str | None, typer.Argument(help="Which one; default: list them")] = None,
) -> None:
    """Print the description of a lip-sync program for the engine "program", to be changed and set as HEYGEM_PROGRAM."""
    from heygem_pipeline.lipsync.program.shipped_recipes import recipe_text, shipped_recipes

    with sentences():
        if name is not None:
            print(recipe_text(name), end="")
            return
        for known, shipped in shipped_recipes().items():
            output.print(Text(f"{known}: {shipped.name}. {shipped.licence}."), soft_wrap=True)
    output.print("To take one: heygem engine recipe NAME > FILE.yaml", soft_wrap=True)
