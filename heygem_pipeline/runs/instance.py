"""Dagster's instance: configured by the project's dagster.yaml, stored under the data folder."""

import os

import dagster as dg
from filelock import FileLock

from heygem_pipeline.storage.folders import DataFolders, project_folder

Instance = dg.DagsterInstance
"""For those who hand one on and know nothing else of Dagster."""


def dagster_environment(folders: DataFolders) -> dict[str, str]:
    """What every Dagster process of this project needs in its environment."""
    folders.make()
    return {
        "DAGSTER_HOME": str(project_folder()),
        "HEYGEM_STATE": str(folders.state),
        "HEYGEM_DATA": str(folders.root),
    }


def open_instance(folders: DataFolders) -> dg.DagsterInstance:
    """The project's instance over a data folder; close it after use (it is a context manager)."""
    os.environ.update(dagster_environment(folders))
    # Two processes that make a new folder's databases at one moment spoil them for good.
    with FileLock(folders.state / "databases.lock"):
        return dg.DagsterInstance.get()
