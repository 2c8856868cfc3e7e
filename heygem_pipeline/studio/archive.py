"""A ZIP that is made while it is sent: nothing of it is held but what is under way."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

PIECE = 2**18
"""Bytes read at a time."""


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


def streamed_archive(files: Iterable[tuple[str, Path]]) -> Iterator[bytes]:
    """Yield a ZIP of the files (name inside, path), stored as they are; one that is gone meanwhile is left out."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue
            with source, archive.open(zipfile.ZipInfo.from_file(path, name), "w") as entry:
                while piece := source.read(PIECE):
                    entry.write(piece)
                    yield outlet.fetch()
    yield outlet.fetch()
