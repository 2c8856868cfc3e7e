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

app = typer.Typer(help="Lip-sync engines: try one of another package", no_args_is_help=True)


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
