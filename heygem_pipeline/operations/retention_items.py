"""Something that is no longer needed, and how it is removed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from heygem_pipeline.storage.file_store import FileStore

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


def removable_file(
    what: str, why: str, path: Path, files: FileStore, before: Callable[[], bool] = lambda: True
) -> Iterator[Removable]:
    """Yield the file, if it is there.

    Args:
        files: where it is kept.
        before: called when it is about to go; False keeps it.
    """
    seen = files.find(path)
    if seen is None:
        return

    def remove() -> bool:
        # Another size or time is another file, which a run has just made.
        if files.find(path) != seen or not before():
            return False
        files.remove(path)
        return True

    yield Removable(what, why, seen.size, remove)


def modified(path: Path) -> float | None:
    """POSIX time of the last change on this machine; None where there is nothing."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None
