"""What is there already: the data versions Dagster keeps of every materialization, and the files themselves."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import dagster as dg

from heygem_pipeline.runs.dagster_internals import latest_tag_by_partition
from heygem_pipeline.storage.clip_key import CLIP_SUFFIX
from heygem_pipeline.storage.file_store import NOTHING_THERE
from heygem_pipeline.storage.paths import REMOVED_SUFFIX, REPORT_SUFFIX, DataFolders

VERSION_TAG = "dagster/data_version"

READ_AGAIN = 1000
"""The newest events are looked at once more: Dagster writes an event first and its data version after it."""


@dataclass
class _Known:
    """What was read of one asset.

    Attributes:
        up_to: number of the last event that was looked at.
    """

    versions: dict[str, str] = field(default_factory=dict)
    up_to: int = 0


_known: dict[tuple[Path, str], _Known] = {}


def data_versions(instance: dg.DagsterInstance, folders: DataFolders, asset: str) -> Mapping[str, str]:
    """Return partition key -> data version of what was last made.

    A process reads each event once: a hundred thousand of them take a fifth of a second.
    """
    storage = instance.event_log_storage
    newest = storage.get_maximum_record_id() or 0
    known = _known.setdefault((folders.state, asset), _Known())
    if newest < known.up_to:
        known = _known[folders.state, asset] = _Known()  # the events were deleted, and others begun
    if newest > known.up_to:
        after = max(0, known.up_to - READ_AGAIN)
        known.versions.update(latest_tag_by_partition(instance, asset, VERSION_TAG, after))
        known.up_to = newest
    return known.versions


class _KeysOfNames(dict[str, str]):
    """File name -> key; "" for one that ends otherwise. Each is cut once: voices have clips of the same presenters."""

    def __init__(self, suffix: str) -> None:
        super().__init__()
        self._suffix = suffix

    def __missing__(self, name: str) -> str:
        key = self[name] = name.removesuffix(self._suffix) if name.endswith(self._suffix) else ""
        return key

    def of(self, names: Iterable[str]) -> set[str]:
        """The keys of those names that end so."""
        keys = set(map(self.__getitem__, names))
        keys.discard("")
        return keys


def keys_like(folders: DataFolders, example: Path) -> set[str]:
    """The keys of the files that lie beside ``example`` and have its ending."""
    return _KeysOfNames(example.suffix).of(folders.files.names(example.parent))


@dataclass(frozen=True)
class ClipFiles:
    """What is there of a voice's clips, by presenter.

    Attributes:
        removed: those that were removed because of their age.
        mark: another number after any of the clips came, went or was replaced.
    """

    clips: set[str]
    reports: set[str]
    removed: set[str]
    mark: int = 0

    @cached_property
    def finished(self) -> set[str]:
        """The clips that have their report."""
        return self.clips & self.reports

    @classmethod
    def of_voice(cls, folders: DataFolders, voice: str) -> "ClipFiles":
        """Look at the folders of this voice."""
        return cls.of_voices(folders, [voice])[voice]

    @classmethod
    def of_voices(cls, folders: DataFolders, voices: Collection[str]) -> dict[str, "ClipFiles"]:
        """Look at the folders of these voices."""
        outputs = folders.files.listings(folders.outputs, voices)
        reports = folders.files.listings(folders.reports, voices)
        of_clips, of_reports, of_removed = map(_KeysOfNames, (CLIP_SUFFIX, REPORT_SUFFIX, REMOVED_SUFFIX))
        return {
            voice: cls(
                of_clips.of(clips.names), of_reports.of(reported.names), of_removed.of(reported.names), clips.mark
            )
            for voice in voices
            for clips, reported in [(outputs.get(voice, NOTHING_THERE), reports.get(voice, NOTHING_THERE))]
        }
