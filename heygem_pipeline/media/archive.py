"""ZIPs of finished clips: a file that appears whole, with a manifest, or a stream that is sent while it is made."""

import csv
import io
import json
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from heygem_pipeline.errors import ArchiveChanged
from heygem_pipeline.storage.atomic import atomic_path, require_space
from heygem_pipeline.storage.fingerprint import text_digest

PIECE = 2**18
"""Bytes read at a time."""


def write_archive(destination: Path, clips: Sequence[tuple[str, Path]], manifest: Sequence[dict[str, Any]]) -> None:
    """Write a ZIP of ``clips`` (name inside, file) with manifest.json and manifest.csv, one entry a clip.

    The files are stored as they are (video does not compress) and streamed; the ZIP appears whole or not at all; names
    may be any Unicode. Raises DiskFull.
    """
    require_space(destination, sum(path.stat().st_size for _, path in clips) + 2**20)
    with atomic_path(destination) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, path in clips:
            deque(_add(archive, name, path), maxlen=0)
        archive.writestr("manifest.json", json.dumps(list(manifest), ensure_ascii=False, indent=1))
        archive.writestr("manifest.csv", _as_csv(manifest))


class StreamedArchive:
    """A ZIP of files, stored as they are and made while it is sent, again and again the same.

    Attributes:
        length: bytes.
        mark: another one where anything in it has changed.
    """

    def __init__(self, files: Iterable[tuple[str, Path]]) -> None:
        """Look at the files (name inside, path); one that is gone is left out."""
        self._entries: list[tuple[Path, zipfile.ZipInfo, int]] = []
        for name, path in files:
            with suppress(FileNotFoundError):
                self._entries.append((path, zipfile.ZipInfo.from_file(path, name), path.stat().st_mtime_ns))
        infos = [info for _, info, _ in self._entries]
        self.length = _length_of(infos)
        told = repr([(info.filename, info.file_size, modified) for _, info, modified in self._entries])
        self.mark = text_digest(told, 32)

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
            for path, info, modified in self._entries:
                try:
                    now = path.stat()
                    if (now.st_size, now.st_mtime_ns) != (info.file_size, modified):
                        raise ArchiveChanged("archive.changed", file=path.name)
                    for _ in _add(archive, info.filename, path):
                        yield outlet.fetch()
                except FileNotFoundError as error:
                    raise ArchiveChanged("archive.changed", file=path.name) from error
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


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> Iterator[None]:
    """Copy a file into the archive, a piece at a step. Raises FileNotFoundError before anything is written."""
    with path.open("rb") as source, archive.open(zipfile.ZipInfo.from_file(path, name), "w") as entry:
        while piece := source.read(PIECE):
            entry.write(piece)
            yield


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
