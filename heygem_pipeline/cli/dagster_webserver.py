"""The process that ``heygem up`` starts for Dagster's page."""

from typing import Annotated

import typer

from heygem_pipeline.cli.terminal import sentences
from heygem_pipeline.garbage_collection import collected_afterwards


def serve(
    host: Annotated[str, typer.Option()],
    port: Annotated[int, typer.Option()],
    path_prefix: Annotated[str, typer.Option()] = "",
) -> None:
    """Serve Dagster's page until Ctrl-C or SIGTERM."""
    with collected_afterwards():
        from heygem_pipeline.operations.dagster_webserver import run_dagster_webserver
        from heygem_pipeline.settings import settings
        from heygem_pipeline.storage.paths import data_folders
        from heygem_pipeline.web.guard import guard_of

    with sentences():
        chosen = settings()
        guard = guard_of(host, chosen.studio_hosts, chosen.studio_proxy)
        run_dagster_webserver(data_folders(), chosen, guard, host, port, path_prefix)


if __name__ == "__main__":
    typer.run(serve)
