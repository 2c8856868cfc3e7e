"""Dagster's instance: configured by the project's dagster.yaml, stored under the data folder."""

import os

import dagster as dg
from filelock import FileLock

from heygem_pipeline.errors import ClusterUnusable
from heygem_pipeline.runs.dagster_internals import SqliteEventLogStorage
from heygem_pipeline.runs.database_access import require_database
from heygem_pipeline.storage.folders import DataFolders, project_folder

Instance = dg.DagsterInstance
"""For those who hand one on and know nothing else of Dagster."""


def dagster_environment(folders: DataFolders) -> dict[str, str]:
    """What every Dagster process of this project needs in its environment."""
    folders.make()
    environment = {
        "DAGSTER_HOME": str(project_folder()),
        "HEYGEM_STATE": str(folders.state),
        "HEYGEM_DATA": str(folders.root),
    }
    # As the settings understand it: Dagster reads the same variable.
    return environment | ({"HEYGEM_DATABASE": folders.database} if folders.database else {})


def open_instance(folders: DataFolders) -> dg.DagsterInstance:
    """The project's instance over a data folder; close it after use (it is a context manager).

    Raises ClusterUnusable where the database does not answer, or dagster.yaml names another one than HEYGEM_DATABASE.
    """
    os.environ.update(dagster_environment(folders))
    if folders.database:
        require_database(folders.database)
    # Two processes that make a new folder's databases at one moment spoil them for good.
    with FileLock(folders.state / "databases.lock"):
        instance = dg.DagsterInstance.get()
    if bool(folders.database) == is_sqlite(instance):
        instance.dispose()
        raise ClusterUnusable("cluster.other_database", file=str(project_folder() / "dagster.yaml"))
    return instance


def is_sqlite(instance: dg.DagsterInstance) -> bool:
    """Do Dagster's records lie in the data folder, and not in the PostgreSQL of a cluster?"""
    return isinstance(instance.event_log_storage, SqliteEventLogStorage)
