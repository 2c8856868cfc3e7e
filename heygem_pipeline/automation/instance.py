"""Dagster's instance: configured by the project's dagster.yaml, stored under the data folder."""

import os
from pathlib import Path

import dagster as dg

from heygem_pipeline.errors import ProjectMissing
from heygem_pipeline.storage.folders import data_folders


def project_folder() -> Path:
    """The folder with dagster.yaml and workspace.yaml: DAGSTER_HOME, else the current one, else the checkout's.

    Raises ProjectMissing.
    """
    home = os.environ.get("DAGSTER_HOME")
    checkout = Path(__file__).resolve().parents[2]
    for folder in ([Path(home)] if home else []) + [Path.cwd(), checkout]:
        if (folder / "dagster.yaml").is_file():
            return folder.absolute()
    raise ProjectMissing("No dagster.yaml was found here; run this command in the project's folder.")


def dagster_environment() -> dict[str, str]:
    """What every Dagster process of this project needs in its environment."""
    folders = data_folders()
    folders.make()
    return {
        "DAGSTER_HOME": str(project_folder()),
        "HEYGEM_STATE": str(folders.state),
        "HEYGEM_DATA": str(folders.root),
    }


def open_instance() -> dg.DagsterInstance:
    """The project's instance; close it after use (it is a context manager)."""
    os.environ.update(dagster_environment())
    return dg.DagsterInstance.get()
