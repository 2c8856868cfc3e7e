"""What is no longer needed is removed: every night, and by ``heygem prune``."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from time import time

import dagster as dg
from filelock import FileLock

from heygem_pipeline.automation.made import data_versions
from heygem_pipeline.automation.planner import plan
from heygem_pipeline.automation.retention_files import (
    unneeded_half_written,
    unneeded_log,
    unneeded_outputs,
    unneeded_patches,
    unneeded_store,
)
from heygem_pipeline.automation.retention_runs import unneeded_records, unneeded_runs
from heygem_pipeline.automation.run_records import active_runs, awaited_by_backfills
from heygem_pipeline.automation.stages import Stage
from heygem_pipeline.automation.unneeded import Unneeded
from heygem_pipeline.storage.folders import DataFolders, data_folders

NIGHTLY = "40 3 * * *"
"""UTC."""


@dataclass(frozen=True)
class Pruned:
    """One kind of what was removed, or would be. why: the rule, in which the setting is named."""

    what: str
    why: str
    count: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.count} {self.what}, {self.bytes / 1e6:.1f} MB ({self.why})"


def prune(
    instance: dg.DagsterInstance, folders: DataFolders, dry_run: bool = False, now: float | None = None
) -> list[Pruned]:
    """Remove what is no longer needed; runs may go on meanwhile. Return how much of what, the largest first.

    dry_run: remove nothing. now: POSIX time to reckon from.
    """
    found: dict[tuple[str, str], list[int]] = {}
    with FileLock(folders.state / "prune.lock"):
        for thing in _unneeded(instance, folders, time() if now is None else now, remember=not dry_run):
            if dry_run or thing.remove():
                found.setdefault((thing.what, thing.why), []).append(thing.bytes)
    pruned = [Pruned(what, why, len(sizes), sum(sizes)) for (what, why), sizes in found.items()]
    return sorted(pruned, key=lambda kind: kind.bytes, reverse=True)


def _unneeded(instance: dg.DagsterInstance, folders: DataFolders, now: float, remember: bool) -> Iterator[Unneeded]:
    awaited = awaited_by_backfills(instance)
    subjects = set(chain(awaited, *active_runs(instance)))
    clips = {subject.key for subject in subjects if subject.stage is Stage.CLIP}
    voices = {subject.key.partition("|")[0] for subject in subjects if subject.stage is not Stage.PRESENTER}
    yield from unneeded_patches(folders, clips, now)
    yield from unneeded_store(folders, clips, now, remember)
    yield from unneeded_outputs(folders, data_versions(instance, folders, "delivery"), voices, now)
    yield from unneeded_half_written(folders, now)
    yield from unneeded_log(folders)
    yield from unneeded_runs(instance, folders, plan(instance, folders), now)
    yield from unneeded_records(instance, folders, now)


@dg.op
def remove_unneeded(context: dg.OpExecutionContext) -> None:
    """Remove what is no longer needed, and log what went."""
    pruned = prune(context.instance, data_folders())
    for kind in pruned:
        context.log.info(f"Removed: {kind}")
    if not pruned:
        context.log.info("Nothing was to be removed.")


@dg.job(name="prune", executor_def=dg.in_process_executor)
def prune_job() -> None:
    """Remove what is no longer needed: mouth patches, ended runs, what is left of uploads that are gone."""
    remove_unneeded()


prune_schedule = dg.ScheduleDefinition(
    name="prune",
    job=prune_job,
    cron_schedule=NIGHTLY,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Removes every night what the settings HEYGEM_KEEP_... do not keep; by hand: heygem prune.",
)
