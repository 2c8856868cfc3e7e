"""ZIPs of finished clips: a file that appears whole, with a manifest, or a stream that is sent while it is made."""

import csv
import io
import json
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from heygem_pipeline.storage.atomic import atomic_path, require_space

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


def streamed_archive(files: Iterable[tuple[str, Path]]) -> Iterator[bytes]:
    """Yield a ZIP of the files (name inside, path), stored as they are; one that is gone meanwhile is left out."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            try:
                for _ in _add(archive, name, path):
                    yield outlet.fetch()
            except FileNotFoundError:
                continue
    yield outlet.fetch()


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
