"""Dagster's instance: configured by the project's dagster.yaml, stored under the data folder."""

import os
from contextlib import nullcontext

from filelock import FileLock

from heygem_pipeline.errors import ClusterUnusable
from heygem_pipeline.garbage_collection import collected_afterwards

with collected_afterwards():
    import dagster as dg

    from heygem_pipeline.runs.dagster_internals import SqliteEventLogStorage

from heygem_pipeline.runs.cluster_access import require_database
from heygem_pipeline.runs.cluster_queues import IN_A_WORKER
from heygem_pipeline.storage.paths import DataFolders, project_folder

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
    if folders.database:
        environment["HEYGEM_DATABASE"] = folders.database
    if folders.broker:
        environment["HEYGEM_BROKER"] = folders.broker
        environment["HEYGEM_BUCKET"] = folders.bucket
    return environment


def open_instance(folders: DataFolders) -> dg.DagsterInstance:
    """The project's instance over a data folder; close it after use (it is a context manager).

    Raises ClusterUnusable where the database does not answer, or dagster.yaml names another one than HEYGEM_DATABASE.
    """
    os.environ.update(dagster_environment(folders))
    if folders.database:
        require_database(folders.database)
    elif folders.broker:
        raise ClusterUnusable("cluster.broker_alone")
    elif folders.bucket:
        raise ClusterUnusable("cluster.bucket_alone")
    # Two processes that make a new folder's databases at one moment spoil them for good. A worker makes none, and would
    # wait for the lock of a machine that died.
    with nullcontext() if IN_A_WORKER in os.environ else FileLock(folders.state / "databases.lock"):
        instance = dg.DagsterInstance.get()
    if bool(folders.database) == is_sqlite(instance):
        instance.dispose()
        raise ClusterUnusable("cluster.other_database", file=str(project_folder() / "dagster.yaml"))
    return instance


def is_sqlite(instance: dg.DagsterInstance) -> bool:
    """Do Dagster's records lie in the data folder, and not in the PostgreSQL of a cluster?"""
    return isinstance(instance.event_log_storage, SqliteEventLogStorage)
