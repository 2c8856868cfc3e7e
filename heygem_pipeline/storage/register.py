"""Registers: small JSON documents that several processes read and change, as files or as rows of a database."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from filelock import FileLock

from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.state_file import read_state

T = TypeVar("T")


class Register(Protocol):
    """One of them."""

    def read(self, understand: Callable[[Any], T], nothing: T) -> T:
        """What ``understand`` makes of it; ``nothing`` where it was never written, or is damaged and set aside."""
        ...

    def changing(self) -> AbstractContextManager[Callable[[object], None]]:
        """Gives what writes the register anew; in the block nobody else changes it."""
        ...

    def put(self, content: object) -> None:
        """Write it anew, whoever else does."""
        ...

    def remove(self) -> None:
        """It was never written."""
        ...

    @property
    def mark(self) -> tuple[str, int, int] | None:
        """Another one after each change; None where it was never written."""
        ...


@dataclass(frozen=True)
class FileRegister:
    """A file of the data folder."""

    path: Path

    def read(self, understand: Callable[[Any], T], nothing: T) -> T:
        """As ``Register`` says."""
        return read_state(self.path, understand, nothing)

    @contextmanager
    def changing(self) -> Iterator[Callable[[object], None]]:
        """As ``Register`` says."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock"):
            yield self.put

    @property
    def mark(self) -> tuple[str, int, int] | None:
        """As ``Register`` says."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return self.path.name, status.st_mtime_ns, status.st_size

    def put(self, content: object) -> None:
        """As ``Register`` says."""
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")

    def remove(self) -> None:
        """As ``Register`` says."""
        self.path.unlink(missing_ok=True)
