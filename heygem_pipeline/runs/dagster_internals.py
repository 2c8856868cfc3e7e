"""All that is used of Dagster's private modules: after an upgrade of Dagster, this file says what to look at.

No other file may import ``dagster._*``.
"""

import json
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster import AssetKey, DagsterEventType, DagsterRunStatus
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.errors import DagsterDefinitionChangedDeserializationError, DagsterExecutionInterruptedError
from dagster._core.events import DagsterEvent, RunFailureReason
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.instance import DagsterInstance
from dagster._core.run_coordinator.base import SubmitRunContext
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator, RunQueueConfig
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage, sqlite_event_log
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.runs import SqlRunStorage
from dagster._core.storage.runs.schema import BulkActionsTable, RunsTable, RunTagsTable
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
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
from dagster._serdes import ConfigurableClassData, unpack_value
from dagster._utils.concurrency import ConcurrencyClaimStatus
from dagster._utils.interrupts import setup_interrupt_handlers
from dagster._utils.log import configure_loggers
from dagster._utils.schedules import get_next_cron_tick, has_out_of_range_cron_interval, is_valid_cron_string
from dagster_shared.error import SerializableErrorInfo
from filelock import FileLock
from sqlalchemy import Engine, Pool, create_engine, select

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
    "ConfigurableClassData",
    "DagsterDefinitionChangedDeserializationError",
    "DagsterEvent",
    "DagsterExecutionInterruptedError",
    "ExecuteRunArgs",
    "LocalComputeLogManager",
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


ENGINES_KEPT = 64
"""Of SQLite's files: runs, schedules, the index of events, and one for the events of each run."""


@lru_cache(maxsize=ENGINES_KEPT)
def _kept_engine(address: str, poolclass: type[Pool], connect_args: tuple[tuple[str, object], ...]) -> Engine:
    return create_engine(address, poolclass=poolclass, connect_args=dict(connect_args))


def _engine_of(address: str, poolclass: type[Pool], connect_args: Mapping[str, object] | None = None) -> Engine:
    return _kept_engine(address, poolclass, tuple((connect_args or {}).items()))


_read_migrations = ScriptDirectory.from_config
_migrations: dict[str | None, ScriptDirectory] = {}


def _migrations_of(config: Config) -> ScriptDirectory:
    place = config.get_main_option("script_location")
    if place not in _migrations:
        _migrations[place] = _read_migrations(config)
    return _migrations[place]


# Dagster makes an engine for every query, which compiles the query anew, and reads some ninety files of migrations
# whenever it opens a database: at each look of a sensor, and for each run whose events are written or read.
for module in (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage):
    module.create_engine = _engine_of  # pyright: ignore[reportPrivateImportUsage, reportAttributeAccessIssue]
ScriptDirectory.from_config = _migrations_of  # pyright: ignore[reportAttributeAccessIssue]


_claim_slot = SqliteEventLogStorage.claim_concurrency_slot


def _claim_slot_alone(
    self: SqliteEventLogStorage, concurrency_key: str, run_id: str, step_key: str, priority: int | None = None
) -> ConcurrencyClaimStatus:
    with FileLock(Path(self.path_for_shard("slots")).with_suffix(".lock")):
        return _claim_slot(self, concurrency_key, run_id, step_key, priority)


# Dagster looks for a free slot and then takes it, which SQLite does not keep together: two that ask at one moment were
# both given the only one.
SqliteEventLogStorage.claim_concurrency_slot = _claim_slot_alone


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


LOADED_BEFORE_A_RUN = ["dagster._cli", "dagster._grpc.server", "heygem_pipeline.definitions"]
"""Modules."""


def begin_runs_by_forking() -> None:
    """In a code server: a run begins as a fork of a process that has loaded all of this, not as one that has to."""
    server = sys.modules.get("dagster._grpc.server")
    if server is None or sys.platform != "linux":
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED_BEFORE_A_RUN)
    # The server under way has chosen "spawn" already; what its class says comes first.
    server.DagsterApiServer._mp_ctx = property(lambda _: context, lambda _, _chosen: None)


def workspace_of(instance: DagsterInstance, file: Path) -> AbstractContextManager[WorkspaceProcessContext]:
    """The code servers that a workspace.yaml names, as Dagster's page needs them."""
    return WorkspaceProcessContext(instance, workspace_load_target=WorkspaceFileTarget([str(file)]))


@dataclass(frozen=True)
class EndedRun:
    """What a run's row says that has ended.

    Attributes:
        assets: that were selected.
        asked, changed: POSIX times.
        ended: POSIX time; None where nobody said when.
    """

    run_id: str
    job: str
    assets: Sequence[str]
    tags: Mapping[str, str]
    cancelled: bool
    asked: float
    changed: float
    ended: float | None


def ended_runs(instance: DagsterInstance, run_ids: Sequence[str]) -> Iterator[EndedRun]:
    """The rows of these runs. To have Dagster make its objects of thousands takes five times as long."""
    storage = instance.run_storage
    assert isinstance(storage, SqlRunStorage)
    columns = RunsTable.c
    asked = columns.run_id, columns.pipeline_name, columns.status, columns.run_body
    times = columns.create_timestamp, columns.update_timestamp, columns.end_time
    with storage.connect() as connection:
        rows = connection.execute(select(*asked, *times).where(columns.run_id.in_(run_ids))).all()
    for run_id, job, status, body, created, updated, ended in rows:
        stored = json.loads(body)
        selected = (stored.get("asset_selection") or {}).get("__frozenset__", ())
        yield EndedRun(
            run_id,
            job,
            ["/".join(asset["path"]) for asset in selected],
            stored.get("tags") or {},
            status == DagsterRunStatus.CANCELED.value,
            created.replace(tzinfo=UTC).timestamp(),
            updated.replace(tzinfo=UTC).timestamp(),
            ended,
        )


def latest_tag_by_partition(instance: DagsterInstance, asset: str, tag: str, after: int) -> dict[str, str]:
    """The tag's value of the newest materialization of each partition, of those of the asset that follow an event.

    Dagster itself asks for several tags at once, and makes a dictionary for each partition.
    """
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    events, tags, key = SqlEventLogStorageTable.c, AssetEventTagsTable.c, AssetKey(asset).to_string()
    # SQLite finds partitions in this order in an index, and needs no rows of events; PostgreSQL would have to sort.
    newest_last = [events.partition, events.id] if isinstance(storage, SqliteEventLogStorage) else [events.id]
    question = (
        select(events.partition, tags.value)
        .join(AssetEventTagsTable, tags.event_id == events.id)
        .where(
            events.asset_key == key,
            events.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value,
            events.partition.is_not(None),
            events.id > after,
            tags.key == tag,
        )
        .order_by(*newest_last)
    )
    with storage.index_connection() as connection:
        # Pairs as the database gives them: SQLAlchemy would make an object of each.
        cursor = connection.execute(question).cursor
        assert cursor is not None
        return dict(cursor.fetchall())
