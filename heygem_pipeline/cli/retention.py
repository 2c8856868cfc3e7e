"""The command ``heygem prune``."""

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.terminal import output, sentences

app = typer.Typer()


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed")] = False,
) -> None:
    """Remove data that is no longer needed, as every night; uploads stay, and clips too unless you set a limit."""
    from heygem_pipeline.operations.retention import prune
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.folders import data_folders

    with sentences(), open_instance() as instance:
        pruned = prune(instance, data_folders(), settings(), dry_run)
    table = Table(box=SIMPLE_HEAD)
    table.add_column("what")
    table.add_column("how many", justify="right")
    table.add_column("MB", justify="right")
    table.add_column("why")
    for kind in pruned:
        table.add_row(kind.what, str(kind.count), f"{kind.bytes / 1e6:.1f}", Text(kind.why))
    if pruned:
        output.print(table)
    total = sum(kind.bytes for kind in pruned) / 1e6
    output.print(f"{total:.1f} MB {'would be' if dry_run else 'were'} removed.", highlight=False)
