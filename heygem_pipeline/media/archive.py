"""ZIPs of finished clips: a file that appears whole, with a manifest, or a stream that is sent while it is made."""

import csv
import io
import json
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from time import localtime
from typing import Any

from heygem_pipeline.errors import ArchiveChanged
from heygem_pipeline.storage.atomic import atomic_path, require_space
from heygem_pipeline.storage.file_store import FileStore, LocalFiles, StoredFile
from heygem_pipeline.storage.fingerprint import text_digest

FILE_MODE = 0o100644
"""Of what is unpacked."""


def write_archive(destination: Path, clips: Sequence[tuple[str, Path]], manifest: Sequence[dict[str, Any]]) -> None:
    """Write a ZIP of ``clips`` (name inside, file) with manifest.json and manifest.csv, one entry a clip.

    The files are stored as they are (video does not compress) and streamed; the ZIP appears whole or not at all; names
    may be any Unicode. Raises DiskFull.
    """
    files = LocalFiles()
    found = [(name, _required(files, path)) for name, path in clips]
    require_space(destination, sum(stored.size for _, stored in found) + 2**20)
    with atomic_path(destination) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, stored in found:
            deque(_add(archive, name, stored, files), maxlen=0)
        archive.writestr("manifest.json", json.dumps(list(manifest), ensure_ascii=False, indent=1))
        archive.writestr("manifest.csv", _as_csv(manifest))


def _required(files: FileStore, path: Path) -> StoredFile:
    stored = files.find(path)
    if stored is None:
        raise FileNotFoundError(str(path))
    return stored


class StreamedArchive:
    """A ZIP of files, stored as they are and made while it is sent, again and again the same.

    Attributes:
        length: bytes.
        mark: another one where anything in it has changed.
    """

    def __init__(self, files: Iterable[tuple[str, Path]], store: FileStore) -> None:
        """Look at the files (name inside, path); one that is gone is left out."""
        self._store = store
        found = ((name, store.find(path)) for name, path in files)
        self._entries = [(name, stored) for name, stored in found if stored is not None]
        self.length = _length_of([_info(name, stored) for name, stored in self._entries])
        self.mark = text_digest(repr([(name, one.size, one.modified) for name, one in self._entries]), 32)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def pieces(self, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        """Yield it from byte ``first`` to byte ``last``, both in it; by default to its end.

        What lies before is read too, for the checksums at the end. Raises ArchiveChanged where a file is no longer what
        was looked at.
        """
        place, end = 0, self.length if last is None else last + 1
        for piece in self._whole():
            begin = max(0, first - place)
            if begin < len(piece):
                yield piece[begin : end - place]
            place += len(piece)
            if place >= end:
                return

    def _whole(self) -> Iterator[bytes]:
        outlet = _Outlet()
        with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
            for name, stored in self._entries:
                if self._store.find(stored.path) != stored:
                    raise ArchiveChanged("archive.changed", file=stored.path.name)
                try:
                    for _ in _add(archive, name, stored, self._store):
                        yield outlet.fetch()
                except FileNotFoundError as error:
                    raise ArchiveChanged("archive.changed", file=stored.path.name) from error
        yield outlet.fetch()


def _length_of(infos: Sequence[zipfile.ZipInfo]) -> int:
    """Bytes of a ZIP of such files, each followed by what is known of it only then: its checksum."""
    place = central = 0
    for info in infos:
        large = info.file_size * 1.05 > zipfile.ZIP64_LIMIT
        name = len(info.filename.encode())
        numbers = 2 * (info.file_size > zipfile.ZIP64_LIMIT) + (place > zipfile.ZIP64_LIMIT)
        central += 46 + name + (4 + 8 * numbers if numbers else 0)
        place += 30 + name + (20 if large else 0) + info.file_size + (24 if large else 16)
    many = len(infos) > zipfile.ZIP_FILECOUNT_LIMIT or max(place, central) > zipfile.ZIP64_LIMIT
    return place + central + (76 if many else 0) + 22


def _add(archive: zipfile.ZipFile, name: str, stored: StoredFile, store: FileStore) -> Iterator[None]:
    """Copy a file into the archive, a piece at a step. Raises FileNotFoundError."""
    with archive.open(_info(name, stored), "w") as entry:
        for piece in store.read(stored.path, 0, stored.size):
            entry.write(piece)
            yield


def _info(name: str, stored: StoredFile) -> zipfile.ZipInfo:
    year, month, day, hour, minute, second, *_ = localtime(stored.modified // 10**9)
    info = zipfile.ZipInfo(name, (max(year, 1980), month, day, hour, minute, second))
    info.file_size, info.external_attr = stored.size, FILE_MODE << 16
    return info


class _Outlet(io.RawIOBase):
    """Takes what the archive writes, until it is fetched."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._pieces.append(bytes(piece))
        return len(piece)

    def fetch(self) -> bytes:
        fetched = b"".join(self._pieces)
        self._pieces.clear()
        return fetched


def _as_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    # The mark tells spreadsheet programs that this is UTF-8.
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
