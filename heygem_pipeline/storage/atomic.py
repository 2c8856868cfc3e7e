"""Files that appear whole or not at all, under their name or under one that is free; and the room there is for them."""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from uuid import uuid4

from heygem_pipeline.errors import DiskFull, OutputRefused

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

TEMPORARY_PREFIX = ".writing-"

WRITER = "HEYGEM_WRITER"
"""In the environment: who writes here, by which what a writer that died has left is found, on whatever machine."""

LONGEST_SUFFIX = 20
"""Characters: with more of an ending that is none, the name would grow beyond what a file system takes."""


@contextmanager
def atomic_path(destination: Path) -> Iterator[Path]:
    """Yield a path beside ``destination`` to write to; rename it into place if the block ends well, else remove it.

    Raises DiskFull where writing met a full disk, so that no caller has to know errno.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    name = f"{temporary_prefix(os.environ.get(WRITER, ''))}{uuid4().hex}{destination.suffix[-LONGEST_SUFFIX:]}"
    temporary = destination.parent / name
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(destination)
        _flush(destination.parent)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(destination) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def temporary_prefix(writer: str) -> str:
    """How the names of files begin that ``writer`` has not finished yet; "" is anybody."""
    return f"{TEMPORARY_PREFIX}{writer}-" if writer else TEMPORARY_PREFIX


def writer_of(path: Path) -> str:
    """Who has not finished a file yet; "" where nobody said so, or it is a finished one."""
    unfinished = path.name.startswith(TEMPORARY_PREFIX)
    return path.name.removeprefix(TEMPORARY_PREFIX).rpartition("-")[0] if unfinished else ""


def write_private(destination: Path, text: str) -> None:
    """Write a file whole that its owner alone may read. Raises DiskFull."""
    with atomic_path(destination) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


def require_space(destination: Path, needed_bytes: int) -> None:
    """Raise DiskFull unless the disk of ``destination`` has ``needed_bytes`` free."""
    if free_bytes(destination) < needed_bytes:
        raise disk_full(destination)


def require_writable(destination: Path) -> None:
    """Raise OutputRefused or DiskFull where no file can be made at ``destination``; its folder is not made yet."""
    folder = next(parent for parent in destination.absolute().parents if parent.exists())
    try:
        # Tried, not asked: the rights say nothing of a disk that takes no files, such as /proc.
        with TemporaryFile(prefix=TEMPORARY_PREFIX, dir=folder):
            pass
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(destination) from error
        raise OutputRefused("output.folder_closed", folder=folder.name or str(folder)) from error


def disk_full(destination: Path) -> DiskFull:
    """The error for a full disk, naming what could not be written."""
    return DiskFull("storage.disk_full", file=destination.name)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(path: Path) -> int:
    """Bytes free on the disk that holds ``path``, or would hold it."""
    return shutil.disk_usage(next(folder for folder in (path, *path.absolute().parents) if folder.exists())).free


def place(whole: Path, names: Iterable[Path]) -> Path:
    """Move ``whole`` to the first of the ``names``, on the same disk, that is free; return it.

    Raises FileExistsError where none of them is.
    """
    for path in names:
        try:
            os.link(whole, path)
        except FileExistsError:
            continue
        except OSError:
            # exFAT and some network shares know no hard links.
            if not _renamed(whole, path):
                continue
        whole.unlink(missing_ok=True)
        return path
    raise FileExistsError(f"No name is free for {whole.name}.")


def _renamed(whole: Path, path: Path) -> bool:
    """Rename a file unless its new name is taken.

    A rename alone would write over; so the name is taken first, which one alone can do. It stands for an empty file
    until the rename, much shorter than an upload must have stood still to be read (``uploads/settling.py``).
    """
    try:
        path.open("xb").close()
    except FileExistsError:
        return False
    try:
        whole.replace(path)
    except BaseException:
        path.unlink()
        raise
    return True
