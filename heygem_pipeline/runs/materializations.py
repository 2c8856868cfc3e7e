"""What is there already: the data versions Dagster keeps of every materialization, and the files themselves."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
from dagster import DagsterEventType

from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.folders import DataFolders

VERSION_TAG = "dagster/data_version"

READ_AGAIN = 1000
"""The newest events are looked at once more: Dagster writes an event first and its data version after it."""


@dataclass
class _Known:
    """What was read of one asset. up_to: number of the last event that was looked at."""

    versions: dict[str, str] = field(default_factory=dict)
    up_to: int = 0


_known: dict[tuple[Path, str], _Known] = {}


def data_versions(instance: dg.DagsterInstance, folders: DataFolders, asset: str) -> Mapping[str, str]:
    """Return partition key -> data version of what was last made.

    A process reads each event once: a hundred thousand of them take half a second.
    """
    storage = instance.event_log_storage
    newest = storage.get_maximum_record_id() or 0
    known = _known.setdefault((folders.state, asset), _Known())
    if newest < known.up_to:
        known = _known[folders.state, asset] = _Known()  # the events were deleted, and others begun
    if newest > known.up_to:
        tags = storage.get_latest_tags_by_partition(
            dg.AssetKey(asset),
            DagsterEventType.ASSET_MATERIALIZATION,
            [VERSION_TAG],
            after_cursor=max(0, known.up_to - READ_AGAIN),
        )
        known.versions.update((key, found[VERSION_TAG]) for key, found in tags.items())
        known.up_to = newest
    return known.versions


def keys_in(folder: Path, suffix: str) -> set[str]:
    """The names in a folder that end so, without the ending."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name.removesuffix(suffix) for entry in entries if entry.name.endswith(suffix)}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def presenters_of(folders: DataFolders, audio: str) -> set[str]:
    """The presenters whose finished clip of this voice is there, with its report."""
    clips = keys_in(folders.clip(ClipKey(audio, "any")).parent, ".mp4")
    return clips & keys_in(folders.report(ClipKey(audio, "any")).parent, ".json") if clips else clips
