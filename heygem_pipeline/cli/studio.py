"""The command ``heygem studio``: the page for people who do not operate pipelines."""

from typing import Annotated

import typer

from heygem_pipeline.cli.terminal import messages, sentences
from heygem_pipeline.garbage_collection import collected_afterwards

app = typer.Typer()

PORT = 7860


@app.command()
def studio(
    host: Annotated[str, typer.Option(help="Address on which the page listens")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the page")] = PORT,
    password: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ask for a password and print the setting for this user")
    ] = None,
) -> None:
    """Start the Studio, the page where people bring in voices and presenters and make clips."""
    with sentences():
        if password is not None:
            from heygem_pipeline.studio.passwords import user_line

            secret = typer.prompt(f"Password of {password}", hide_input=True, confirmation_prompt=True, err=True)
            print(f"HEYGEM_STUDIO_USERS='{user_line(password, secret)}'")
            return
        with collected_afterwards():
            from heygem_pipeline.studio.server import run_studio

        messages.print(f"Studio: http://{host}:{port} (Ctrl-C stops it)")
        run_studio(host, port)
