"""Which upload has which partition key: told apart for good, even when two files have one stem."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filelock import FileLock

from heygem_pipeline.errors import UploadMissing
from heygem_pipeline.media.formats import PRESENTER_SUFFIXES, VOICE_SUFFIXES
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.storage.keys import partition_key

UNFINISHED_PREFIXES = (".", "~")


class UploadKind(StrEnum):
    """The two kinds of upload; also the names of Dagster's partition dimensions."""

    AUDIO = "audio"
    TEMPLATE = "template"


@dataclass(frozen=True)
class Uploads:
    """The uploads of a data folder. The register lies in ``state/uploads.json``: {kind: {key: file name}}."""

    folders: DataFolders

    def folder(self, kind: UploadKind) -> Path:
        """The folder people drop such files into."""
        return self.folders.voices if kind is UploadKind.AUDIO else self.folders.presenters

    def files(self, kind: UploadKind) -> list[Path]:
        """The files there whose ending is accepted, in order of name. Names of downloads under way are passed over."""
        suffixes = VOICE_SUFFIXES if kind is UploadKind.AUDIO else PRESENTER_SUFFIXES
        folder = self.folder(kind)
        return sorted(
            path
            for path in (folder.iterdir() if folder.is_dir() else ())
            if path.suffix.lower() in suffixes and not path.name.startswith(UNFINISHED_PREFIXES) and path.is_file()
        )

    def take_in(self, kind: UploadKind) -> dict[str, Path]:
        """Give every file a key and return all keys with their files.

        A file keeps its key while it is there; a newcomer whose stem is taken (another ending, another case) gets its
        suffix added. A file that is gone frees its key.
        """
        self._register.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self._register}.lock"):
            known = self._known()
            keys = _assign_keys(known.get(kind, {}), [path.name for path in self.files(kind)])
            if known.get(kind) != keys:
                with atomic_path(self._register) as temporary:
                    temporary.write_text(json.dumps(known | {kind: keys}, indent=1), encoding="utf-8")
        return {key: self.folder(kind) / name for key, name in keys.items()}

    def find(self, kind: UploadKind, key: str) -> Path:
        """The file of a key that was taken in. Raises UploadMissing."""
        name = self._known().get(kind, {}).get(key)
        if name is None or not (self.folder(kind) / name).exists():
            raise UploadMissing(f"The file of {key!r} is no longer in {self.folder(kind).name}/; put it back there.")
        return self.folder(kind) / name

    @property
    def _register(self) -> Path:
        return self.folders.state / "uploads.json"

    def _known(self) -> dict[str, dict[str, str]]:
        return json.loads(self._register.read_text(encoding="utf-8")) if self._register.exists() else {}


def _assign_keys(known: dict[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return key -> file name for ``names``, keeping what is known."""
    names = list(names)
    keys = {key: name for key, name in known.items() if name in set(names)}
    taken = {key.casefold() for key in keys}
    for name in names:
        if name in keys.values():
            continue
        stem, _, suffix = name.rpartition(".")
        key = partition_key(stem)
        count = 1
        while key.casefold() in taken:
            key = partition_key(f"{stem} ({suffix})" if count == 1 else f"{stem} ({suffix} {count})")
            count += 1
        keys[key] = name
        taken.add(key.casefold())
    return keys
