"""The partitions of the graph: voices, presenters and their product; every upload that was taken in gets its key."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.uploads.registry import UploadKind, Uploads, always

audio_partitions = dg.DynamicPartitionsDefinition(name=UploadKind.AUDIO.value)
template_partitions = dg.DynamicPartitionsDefinition(name=UploadKind.TEMPLATE.value)
clip_partitions = dg.MultiPartitionsDefinition(
    {UploadKind.AUDIO.value: audio_partitions, UploadKind.TEMPLATE.value: template_partitions}
)


def multi_partition_key(clip: ClipKey) -> dg.MultiPartitionKey:
    """The partition key of one clip, for what launches runs; as text it is ``clip.partition``."""
    return dg.MultiPartitionKey({UploadKind.AUDIO.value: clip.voice, UploadKind.TEMPLATE.value: clip.presenter})


KEYS_AT_ONCE = 1000
"""SQLite fails on adding some 36 000 dynamic partitions in one statement (dagster issue 16260)."""


@dataclass(frozen=True)
class TakenIn:
    """What changed for one kind of upload: keys in order of name."""

    known: list[str]
    added: list[str]
    retired: list[str]


def take_in_uploads(
    instance: dg.DagsterInstance, folders: DataFolders, ready: Callable[[Path], bool] = always
) -> dict[UploadKind, TakenIn]:
    """Register the uploads' keys with the instance and retire the keys whose file is gone. Finished outputs stay.

    ready: which new and changed files may be read now; the others wait.
    """
    uploads = Uploads(folders)
    taken_in = {}
    for kind in UploadKind:
        # Read first: what another process registers meanwhile must not look like a key whose file is gone.
        registered = set(instance.get_dynamic_partitions(kind.value))
        keys = set(uploads.take_in(kind, ready))
        added, retired = sorted(keys - registered), sorted(registered - keys)
        for start in range(0, len(added), KEYS_AT_ONCE):
            instance.add_dynamic_partitions(kind.value, added[start : start + KEYS_AT_ONCE])
        for key in retired:
            instance.delete_dynamic_partition(kind.value, key)
        taken_in[kind] = TakenIn(sorted(keys), added, retired)
    return taken_in
