"""What a machine has at hand of a bucket: files of its own data folder, the longest unused of which make room."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time

from heygem_pipeline.storage.atomic import WRITER
from heygem_pipeline.storage.fingerprint import text_digest

SECONDS_AT_HAND = 600.0
"""A file that was used since then stays: somebody may still be sent it."""

SCRATCH = "scratch"
"""The folder of ``state`` that knows them; each machine has its own."""

_TABLE = """CREATE TABLE IF NOT EXISTS copies (
    path TEXT PRIMARY KEY, etag TEXT NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,
    used REAL NOT NULL, original INTEGER NOT NULL)"""

_leases: dict[Path, int] = {}
"""Lock file -> its descriptor, until this process ends."""


@dataclass(frozen=True)
class LocalCopy:
    """A file of this machine.

    Attributes:
        path: in the data folder, as text.
        etag: of the object it is a copy of.
        size: bytes.
        modified: nanoseconds.
        original: it was written here by people; the object is the copy.
    """

    path: str
    etag: str
    size: int
    modified: int
    original: bool


class Scratch:
    """The copies below a data folder; several processes use it at once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "state" / SCRATCH

    def find(self, path: str) -> LocalCopy | None:
        """What is noted of a file; None where nothing is, or it is not that file any more."""
        with self._database() as database:
            row = database.execute(
                "SELECT etag, size, modified, original FROM copies WHERE path = ?", [path]
            ).fetchone()
        if row is None:
            return None
        etag, size, modified, original = row
        return LocalCopy(path, etag, size, modified, bool(original))

    def is_as_noted(self, copy: LocalCopy) -> bool:
        """Is the file that which was noted?"""
        try:
            status = (self._root / copy.path).stat()
        except FileNotFoundError:
            return False
        return (status.st_size, status.st_mtime_ns) == (copy.size, copy.modified)

    def note(self, copy: LocalCopy) -> None:
        """This file is here now."""
        with self._database() as database:
            values = copy.path, copy.etag, copy.size, copy.modified, time(), copy.original
            database.execute("INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?, ?)", values)

    def use(self, path: str) -> None:
        """Keep a file: for some minutes, and where a run asks, until its process ends."""
        with self._database() as database:
            database.execute("UPDATE copies SET used = ? WHERE path = ?", [time(), path])
        if os.environ.get(WRITER):
            self._lease(path)

    def drop(self, path: str) -> None:
        """Delete a file, and forget it."""
        (self._root / path).unlink(missing_ok=True)
        with self._database() as database:
            database.execute("DELETE FROM copies WHERE path = ?", [path])

    def copies(self, originals: bool = False) -> list[LocalCopy]:
        """Those of objects, the longest unused first; or those that objects are copies of."""
        question = "SELECT path, etag, size, modified, original FROM copies WHERE original = ? ORDER BY used"
        with self._database() as database:
            rows = database.execute(question, [originals]).fetchall()
        return [LocalCopy(path, etag, size, modified, bool(original)) for path, etag, size, modified, original in rows]

    def make_room(self, needed: int, most: int) -> None:
        """Delete copies that nobody uses until, with ``needed`` bytes more, they take at most ``most``."""
        with self._database() as database:
            (held,) = database.execute("SELECT coalesce(sum(size), 0) FROM copies WHERE original = 0").fetchone()
            unused = "SELECT path, size FROM copies WHERE original = 0 AND used < ? ORDER BY used"
            candidates = database.execute(unused, [time() - SECONDS_AT_HAND]).fetchall() if held + needed > most else []
        for path, size in candidates:
            if held + needed <= most:
                return
            if self.drop_unused(path):
                held -= size

    def drop_unused(self, path: str) -> bool:
        """Delete a file unless a run reads it."""
        descriptor = os.open(self._lock(path), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            self.drop(path)
            return True
        finally:
            os.close(descriptor)

    def _lease(self, path: str) -> None:
        lock = self._lock(path)
        if lock not in _leases:
            _leases[lock] = descriptor = os.open(lock, os.O_RDWR | os.O_CREAT)
            fcntl.flock(descriptor, fcntl.LOCK_SH)

    def _lock(self, path: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{text_digest(path, 16)}.lock"

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._folder / "copies.db", timeout=60)) as database, database:
            # Names of people stand in it.
            database.execute("PRAGMA secure_delete = ON")
            database.execute(_TABLE)
            yield database
