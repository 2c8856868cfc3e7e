"""The commands ``heygem token``: which programs may use the HTTP interface."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.answers import JSON_HELP, say
from heygem_pipeline.cli.terminal import messages, output, sentences
from heygem_pipeline.storage.paths import data_folders

app = typer.Typer(no_args_is_help=True, help="Tokens of programs that use the HTTP interface of the Studio")


@app.command()
def create(program: Annotated[str, typer.Argument(metavar="NAME", help="What the program is called")]) -> None:
    """Print the token of a program. It is shown this once: only its digest is kept."""
    from heygem_pipeline.studio.http_api.tokens import Tokens

    with sentences():
        token = Tokens(data_folders()).create(program)
    # For the program alone, so that it can be sent on: heygem token create NAME > file
    print(token)
    messages.print("Keep it like a password. The program sends it as the header: Authorization: Bearer TOKEN")


@app.command("list")
def list_tokens(as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False) -> None:
    """List the programs that have a token."""
    from heygem_pipeline.studio.http_api.tokens import Tokens

    with sentences(as_json):
        known = Tokens(data_folders()).known()
    made = {program: datetime.fromtimestamp(token.made, UTC) for program, token in known.items()}
    if as_json:
        say({"tokens": [{"name": program, "made": at.isoformat()} for program, at in made.items()]})
        return
    table = Table("program", "made", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for program, at in made.items():
        table.add_row(Text(program, overflow="fold"), f"{at:%Y-%m-%d %H:%M} UTC")
    output.print(table)


@app.command()
def withdraw(program: Annotated[str, typer.Argument(metavar="NAME", help="As heygem token list calls it")]) -> None:
    """Withdraw a program's token, at once."""
    from heygem_pipeline.studio.http_api.tokens import Tokens

    with sentences():
        Tokens(data_folders()).withdraw(program)
    messages.print(f"The token of {program} opens nothing any more.", markup=False, highlight=False)
