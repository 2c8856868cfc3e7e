"""A file appears whole or not at all: it is written aside on the same disk, flushed to it, then renamed."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from heygem_pipeline.errors import DiskFull
from heygem_pipeline.storage.disk import free_bytes

TEMPORARY_PREFIX = ".writing-"


@contextmanager
def atomic_path(destination: Path) -> Iterator[Path]:
    """Yield a path beside ``destination`` to write to; rename it into place if the block ends well, else remove it.

    Raises DiskFull where writing met a full disk, so that no caller has to know errno.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.parent / f"{TEMPORARY_PREFIX}{uuid4().hex}{destination.suffix}"
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(destination)
        _flush(destination.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(destination) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def require_space(destination: Path, needed_bytes: int) -> None:
    """Raise DiskFull unless the disk of ``destination`` has ``needed_bytes`` free."""
    if free_bytes(destination) < needed_bytes:
        raise disk_full(destination)


def disk_full(destination: Path) -> DiskFull:
    """The error for a full disk, naming what could not be written."""
    return DiskFull("storage.disk_full", file=destination.name)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
