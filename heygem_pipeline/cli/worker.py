"""The command ``heygem worker``: a machine's part in a cluster."""

from typing import Annotated, Literal

import typer

from heygem_pipeline.cli.terminal import NOT_READY, messages, sentences, tell

app = typer.Typer()


@app.command()
def worker(
    queue: Annotated[Literal["gpu", "cpu"], typer.Option(help="gpu: draws mouths; cpu: everything else")],
    device: Annotated[
        str | None, typer.Option(help="Number of the graphics card, for example 0; one worker for each")
    ] = None,
) -> None:
    """Take a cluster's runs on this machine until Ctrl-C; HEYGEM_DATABASE names the cluster.

    One run has the graphics card at a time, while the next gets ready.
    """
    from heygem_pipeline.operations.cluster_worker import work
    from heygem_pipeline.runs.cluster_queues import Queue
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences():
        folders = data_folders()
        messages.print(f"Worker of the queue {queue} (Ctrl-C stops it when its runs have ended)")
        reason = work(folders, settings(), Queue(queue), device)
    if reason is not None:
        tell(str(reason))
        raise typer.Exit(NOT_READY)
