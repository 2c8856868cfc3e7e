"""The partitions of the graph: voices, presenters and their product; every upload that was taken in gets its key.

The key of a script is a voice's key, in the same dimension as those of recordings.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dagster as dg
from filelock import FileLock

from heygem_pipeline.clip.sidecar import read_sidecar, write_moving
from heygem_pipeline.errors import BadInput, NotReady
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.mirror import is_published, mirror
from heygem_pipeline.uploads.registry import DIMENSIONS, UploadKind, Uploads, always

voice_partitions = dg.DynamicPartitionsDefinition(name=UploadKind.VOICE.value)
presenter_partitions = dg.DynamicPartitionsDefinition(name=UploadKind.PRESENTER.value)
clip_partitions = dg.MultiPartitionsDefinition(
    {UploadKind.VOICE.value: voice_partitions, UploadKind.PRESENTER.value: presenter_partitions}
)


def multi_partition_key(clip: ClipKey) -> dg.MultiPartitionKey:
    """The partition key of one clip, for what launches runs; as text it is ``clip.partition``."""
    return dg.MultiPartitionKey({UploadKind.VOICE.value: clip.voice, UploadKind.PRESENTER.value: clip.presenter})


KEYS_AT_ONCE = 1000
"""SQLite fails on adding some 36 000 dynamic partitions in one statement (dagster issue 16260)."""


@dataclass(frozen=True)
class TakenIn:
    """What changed for one kind of upload: keys in order of name."""

    known: list[str]
    added: list[str]
    retired: list[str]


def take_in_uploads(
    instance: dg.DagsterInstance,
    folders: DataFolders,
    ready: Callable[[Path], bool] = always,
    photographs_move: bool = True,
) -> dict[UploadKind, TakenIn]:
    """Register the uploads' keys with the instance and retire the keys whose file is gone. Finished outputs stay.

    Args:
        ready: which new and changed files may be read now; the others wait.
        photographs_move: whether new photographs blink and move the head where their sidecars do not say it.
    """
    uploads = Uploads(folders)
    ready = cache(ready)
    mirror(folders, ready)
    # Read first: what another process registers meanwhile must not look like a key whose file is gone.
    registered = {dimension: set(instance.get_dynamic_partitions(dimension.value)) for dimension in DIMENSIONS}
    of_scripts = set(uploads.known(UploadKind.SCRIPT))
    # What is asked of a bucket is asked only of files that are new, or have changed.
    keys = {
        kind: set(uploads.take_in(kind, lambda path: ready(path) and is_published(folders, path)))
        for kind in UploadKind
    }
    before = {
        UploadKind.VOICE: registered[UploadKind.VOICE] - of_scripts - keys[UploadKind.SCRIPT],
        UploadKind.PRESENTER: registered[UploadKind.PRESENTER],
        UploadKind.SCRIPT: registered[UploadKind.VOICE] & (of_scripts | keys[UploadKind.SCRIPT]),
    }
    taken_in = {
        kind: TakenIn(sorted(keys[kind]), sorted(keys[kind] - before[kind]), sorted(before[kind] - keys[kind]))
        for kind in UploadKind
    }
    if photographs_move and _set_in_motion(uploads, taken_in[UploadKind.PRESENTER].added):
        mirror(folders, ready)
    for kind, changed in taken_in.items():
        dimension = UploadKind.VOICE.value if kind is UploadKind.SCRIPT else kind.value
        _add(instance, folders, dimension, changed.added)
        for key in changed.retired:
            # A script may have taken the key that a recording left, or the other way round.
            if key not in keys[UploadKind.VOICE] | keys[UploadKind.SCRIPT] or kind is UploadKind.PRESENTER:
                instance.delete_dynamic_partition(dimension, key)
    return taken_in


def _add(instance: dg.DagsterInstance, folders: DataFolders, dimension: str, keys: list[str]) -> None:
    """Add the keys, those of them that are new to Dagster."""
    if not keys:
        return
    # Dagster looks which are there and then adds the others: of two processes that do so at once, one fails.
    with FileLock(folders.state / "partitions.lock"):
        there = set(instance.get_dynamic_partitions(dimension))
        new = [key for key in keys if key not in there]
        for start in range(0, len(new), KEYS_AT_ONCE):
            instance.add_dynamic_partitions(dimension, new[start : start + KEYS_AT_ONCE])


def _set_in_motion(uploads: Uploads, added: list[str]) -> bool:
    """Write it into the sidecars of new photographs that they move, where they do not say it; was any?"""
    written = False
    for key in added:
        # A register that was lost makes no photograph new.
        if uploads.folders.files.find(uploads.folders.tracks(key)) is not None:
            continue
        try:
            path = uploads.find(UploadKind.PRESENTER, key)
            said = read_sidecar(path)
            if said.of_photograph and said.moving is None:
                write_moving(path, moving=True)
                written = True
        except (BadInput, NotReady, OSError) as error:
            # It keeps still, as where the folder cannot be written to.
            logging.getLogger(__name__).warning("%s: %s", key, error)
    return written
