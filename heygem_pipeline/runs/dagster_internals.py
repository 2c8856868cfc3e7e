"""All that is used of Dagster's private modules: after an upgrade of Dagster, this file says what to look at.

No other file may import ``dagster._*``.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.errors import DagsterDefinitionChangedDeserializationError, DagsterExecutionInterruptedError
from dagster._core.events import DagsterEvent, RunFailureReason
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.instance import DagsterInstance
from dagster._core.run_coordinator.base import SubmitRunContext
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator, RunQueueConfig
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetKeyTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.runs import SqlRunStorage
from dagster._core.storage.runs.schema import BulkActionsTable, RunsTable, RunTagsTable
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    AUTO_RETRY_RUN_ID_TAG,
    BACKFILL_ID_TAG,
    MAX_RETRIES_TAG,
    PARTITION_NAME_TAG,
    PRIORITY_TAG,
    WILL_RETRY_TAG,
    get_multidimensional_partition_tag,
)
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value
from dagster._utils.interrupts import setup_interrupt_handlers
from dagster._utils.log import configure_loggers
from dagster._utils.schedules import get_next_cron_tick, has_out_of_range_cron_interval, is_valid_cron_string
from dagster_shared.error import SerializableErrorInfo

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "AUTO_RETRY_RUN_ID_TAG",
    "BACKFILL_ID_TAG",
    "MAX_RETRIES_TAG",
    "PARTITION_NAME_TAG",
    "PRIORITY_TAG",
    "WILL_RETRY_TAG",
    "AssetCheckExecutionsTable",
    "AssetKeyTable",
    "BaseAssetGraph",
    "BulkActionStatus",
    "BulkActionsFilter",
    "BulkActionsTable",
    "DagsterDefinitionChangedDeserializationError",
    "DagsterEvent",
    "DagsterExecutionInterruptedError",
    "ExecuteRunArgs",
    "QueuedRunCoordinator",
    "RunFailureReason",
    "RunQueueConfig",
    "RunTagsTable",
    "RunsTable",
    "SerializableErrorInfo",
    "SqlEventLogStorage",
    "SqlEventLogStorageTable",
    "SqlRunStorage",
    "SqliteEventLogStorage",
    "StepFailureData",
    "SubmitRunContext",
    "UnresolvedAssetJobDefinition",
    "WorkspaceProcessContext",
    "get_multidimensional_partition_tag",
    "get_next_cron_tick",
    "has_out_of_range_cron_interval",
    "is_valid_cron_string",
    "unpack_value",
]


SQLITE_FILES = ("", "-wal", "-shm")
"""A database and what SQLite keeps beside it."""


def databases_of(events: SqliteEventLogStorage, run_id: str) -> list[Path]:
    """The run's events, whether the files are there or not."""
    return [Path(events.path_for_shard(run_id) + ending) for ending in SQLITE_FILES]


def remove_databases(events: SqliteEventLogStorage, run_id: str) -> None:
    """Delete the run's events."""
    for path in databases_of(events, run_id):
        path.unlink(missing_ok=True)


def prepare_webserver() -> None:
    """What Dagster's own command does first: loggers, and SIGTERM as Ctrl-C."""
    configure_loggers()
    setup_interrupt_handlers()


def daemon_command() -> Callable[[], None]:
    """Dagster's own command for its daemon. It reads the arguments of this process."""
    from dagster._daemon.cli import main

    return main


def workspace_of(instance: DagsterInstance, file: Path) -> AbstractContextManager[WorkspaceProcessContext]:
    """The code servers that a workspace.yaml names, as Dagster's page needs them."""
    return WorkspaceProcessContext(instance, workspace_load_target=WorkspaceFileTarget([str(file)]))
