"""What is no longer needed is removed: every night, and by ``heygem prune``."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from math import inf
from time import time

import dagster as dg
from filelock import FileLock

from heygem_pipeline.operations.retention_files import (
    removable_half_written,
    removable_log,
    removable_objects,
    removable_outputs,
    removable_patches,
    removable_previews,
    removable_store,
)
from heygem_pipeline.operations.retention_items import Removable
from heygem_pipeline.operations.retention_runs import removable_records, removable_runs
from heygem_pipeline.planning.backfills import awaited_by_backfills
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.runs.history import active_runs
from heygem_pipeline.runs.materializations import data_versions
from heygem_pipeline.runs.stages import Stage
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.atomic import free_bytes
from heygem_pipeline.storage.ballast_file import BALLAST_BYTES, keep_ballast, release_ballast
from heygem_pipeline.storage.paths import DataFolders


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
    instance: dg.DagsterInstance,
    folders: DataFolders,
    settings: Settings,
    dry_run: bool = False,
    now: float | None = None,
) -> list[Pruned]:
    """Remove what is no longer needed; runs may go on meanwhile. Return how much of what, the largest first.

    dry_run: remove nothing. now: POSIX time to reckon from.
    """
    found: dict[tuple[str, str], list[int]] = {}
    with FileLock(folders.state / "prune.lock"):
        for thing in _removable(instance, folders, settings, time() if now is None else now, remember=not dry_run):
            if dry_run or thing.remove():
                found.setdefault((thing.what, thing.why), []).append(thing.bytes)
    keep_ballast(folders)
    pruned = [Pruned(what, why, len(sizes), sum(sizes)) for (what, why), sizes in found.items()]
    return sorted(pruned, key=lambda kind: kind.bytes, reverse=True)


def make_room(folders: DataFolders, settings: Settings) -> int:
    """Where there is no room to open the history: remove what is not needed whatever it says. Return the bytes."""
    release_ballast(folders)
    if free_bytes(folders.root) >= BALLAST_BYTES:
        return 0
    only_finished = settings.model_copy(update={"keep_store_days": inf})
    patches = removable_patches(folders, only_finished, (), time())
    return sum(thing.bytes for thing in chain(patches, removable_half_written(folders, time())) if thing.remove())


def _removable(
    instance: dg.DagsterInstance, folders: DataFolders, settings: Settings, now: float, remember: bool
) -> Iterator[Removable]:
    awaited = awaited_by_backfills(instance)
    subjects = set(chain(awaited, *active_runs(instance)))
    clips = {subject.key for subject in subjects if subject.stage is Stage.CLIP}
    voices = {subject.clip.voice for subject in subjects if subject.stage is not Stage.PRESENTER}
    yield from removable_patches(folders, settings, clips, now)
    yield from removable_previews(folders, settings, now)
    yield from removable_store(folders, settings, clips, now, remember)
    yield from removable_outputs(folders, settings, data_versions(instance, folders, "delivery"), voices, now)
    yield from removable_half_written(folders, now)
    yield from removable_objects(folders, now)
    yield from removable_log(folders)
    yield from removable_runs(instance, folders, settings, plan(instance, folders, settings), now)
    yield from removable_records(instance, folders, now)
