"""What runs have made and people have brought, by its path in the data folder: here, or in a bucket of a cluster."""

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Protocol
from uuid import uuid4

from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX, place

PIECE = 2**18
"""Bytes read at once."""


@dataclass(frozen=True)
class StoredFile:
    """One that is there.

    Attributes:
        size: bytes.
        modified: nanoseconds.
    """

    path: Path
    size: int
    modified: int


@dataclass(frozen=True)
class FolderListing:
    """What a folder holds.

    Attributes:
        names: of its files.
        mark: another number after any of them came, went or was replaced; 0 where there is no folder.
    """

    names: list[str] = field(default_factory=list)
    mark: int = 0


NOTHING_THERE = FolderListing()


class FileStore(Protocol):
    """Files that every machine of a cluster sees alike; each is there whole or not at all."""

    def find(self, path: Path) -> StoredFile | None:
        """The file at a path; None where there is none."""
        ...

    def names(self, folder: Path) -> list[str]:
        """Names of the files in a folder; none where there is no such folder."""
        ...

    def listings(self, folder: Path, names: Collection[str]) -> Mapping[str, FolderListing]:
        """What those folders of a folder hold that are called so and are there, by name."""
        ...

    def folders(self, folder: Path) -> list[str]:
        """Names of the folders in a folder, in order; none where there is no such folder."""
        ...

    def below(self, folder: Path) -> list[StoredFile]:
        """The files in a folder and in all its folders, those of a folder in order."""
        ...

    def fetch(self, path: Path) -> Path:
        """See that this machine has the file, as it is kept, for as long as this process lives; return the path.

        Raises FileNotFoundError, BucketUnreachable, DiskFull.
        """
        ...

    def refresh(self, folder: Path, wanted: Callable[[str], bool]) -> None:
        """``fetch`` the files of a folder whose names are wanted; no others of such names are left here."""
        ...

    def publish(self, path: Path) -> None:
        """What this machine has written at the path becomes what is kept. Raises BucketUnreachable."""
        ...

    def publish_first(self, path: Path) -> None:
        """The same, of a file that nobody has published before. Raises FileExistsError, BucketUnreachable."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        ...

    def move(self, path: Path, to: Path) -> None:
        """Give a file another path, where it takes the place of what is there. Raises FileNotFoundError."""
        ...

    def copy(self, path: Path, to: Path) -> None:
        """Keep a file at a second path too. Raises FileNotFoundError, FileExistsError where that is taken."""
        ...

    def address(self, path: Path) -> str:
        """Where others find the file."""
        ...

    def read(self, path: Path, begin: int, end: int) -> Iterator[bytes]:
        """The bytes from ``begin`` up to, not including, ``end``, in pieces. Raises FileNotFoundError."""
        ...


class LocalFiles:
    """The data folder of one machine, or one that several machines have mounted."""

    def find(self, path: Path) -> StoredFile | None:
        """As ``FileStore`` says."""
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return StoredFile(path, status.st_size, status.st_mtime_ns) if S_ISREG(status.st_mode) else None

    def names(self, folder: Path) -> list[str]:
        """As ``FileStore`` says."""
        try:
            return os.listdir(folder)  # noqa: PTH208 - a path for each of a hundred thousand takes most of a second
        except (FileNotFoundError, NotADirectoryError):
            return []

    def listings(self, folder: Path, names: Collection[str]) -> Mapping[str, FolderListing]:
        """As ``FileStore`` says."""
        found = {}
        for name in names:
            place = folder / name
            try:
                # In this order: what comes meanwhile is not named, and makes the mark another one later.
                mark = place.stat().st_mtime_ns
            except (FileNotFoundError, NotADirectoryError):
                continue
            found[name] = FolderListing(self.names(place), mark)
        return found

    def folders(self, folder: Path) -> list[str]:
        """As ``FileStore`` says."""
        try:
            with os.scandir(folder) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def below(self, folder: Path) -> list[StoredFile]:
        """As ``FileStore`` says."""
        found = []
        for parent, folders, names in os.walk(folder):
            folders.sort()
            found += [one for name in sorted(names) if (one := self.find(Path(parent, name))) is not None]
        return found

    def fetch(self, path: Path) -> Path:
        """As ``FileStore`` says."""
        path.stat()
        return path

    def refresh(self, folder: Path, wanted: Callable[[str], bool]) -> None:
        """As ``FileStore`` says: all are here."""

    def publish(self, path: Path) -> None:
        """As ``FileStore`` says: what is written here is kept."""

    def publish_first(self, path: Path) -> None:
        """As ``FileStore`` says: who writes at a path of this machine looks there first."""

    def remove(self, path: Path) -> None:
        """As ``FileStore`` says."""
        path.unlink(missing_ok=True)

    def move(self, path: Path, to: Path) -> None:
        """As ``FileStore`` says."""
        to.parent.mkdir(parents=True, exist_ok=True)
        path.replace(to)

    def copy(self, path: Path, to: Path) -> None:
        """As ``FileStore`` says. What takes the place of the one later leaves the other what it is."""
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, to)
        except (FileExistsError, FileNotFoundError):
            raise
        except OSError:
            # exFAT and some network shares know no hard links.
            whole = to.with_name(f"{TEMPORARY_PREFIX}{uuid4().hex}{to.suffix}")
            try:
                shutil.copy2(path, whole)
                place(whole, [to])
            finally:
                whole.unlink(missing_ok=True)

    def address(self, path: Path) -> str:
        """As ``FileStore`` says."""
        return str(path.absolute())

    def read(self, path: Path, begin: int, end: int) -> Iterator[bytes]:
        """As ``FileStore`` says."""
        with path.open("rb") as file:
            file.seek(begin)
            while begin < end and (piece := file.read(min(PIECE, end - begin))):
                begin += len(piece)
                yield piece
