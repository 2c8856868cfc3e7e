"""Something that is no longer needed, and how it is removed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

DAY = 24 * 3600.0


@dataclass(frozen=True)
class Removable:
    """Something that may be removed.

    Attributes:
        what: its kind, in the plural.
        why: for people.
        remove: removes it; False where it is not to go after all.
    """

    what: str
    why: str
    bytes: int
    remove: Callable[[], bool]


def removable_file(what: str, why: str, path: Path, before: Callable[[], bool] = lambda: True) -> Iterator[Removable]:
    """Yield the file, if it is there.

    Args:
        before: called when it is about to go; False keeps it.
    """
    try:
        seen = path.stat()
    except FileNotFoundError:
        return

    def remove() -> bool:
        try:
            now = path.stat()
        except FileNotFoundError:
            return False
        # Files appear by renaming: another inode or time is another file, which a run has just made.
        if (now.st_ino, now.st_mtime_ns) != (seen.st_ino, seen.st_mtime_ns) or not before():
            return False
        path.unlink(missing_ok=True)
        return True

    yield Removable(what, why, seen.st_size, remove)


def modified(path: Path) -> float | None:
    """POSIX time of the last change; None where there is no such file."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None
