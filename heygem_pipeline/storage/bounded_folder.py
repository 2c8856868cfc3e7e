"""A folder whose files may take so much room together: what was used longest ago makes room for what is new."""

from pathlib import Path

from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX


def make_room(path: Path, needed: int, most_bytes: int) -> bool:
    """Remove from the folder of ``path`` what was used longest ago until ``needed`` bytes fit beside the rest.

    Returns False, and removes nothing, where they alone are too many.
    """
    if needed > most_bytes:
        return False
    others = [
        (status.st_mtime, status.st_size, other)
        for other in (path.parent.iterdir() if path.parent.is_dir() else ())
        if other != path and not other.name.startswith(TEMPORARY_PREFIX)
        for status in [other.stat()]
    ]
    held = sum(size for _, size, _ in others)
    for _, size, other in sorted(others):
        if held + needed <= most_bytes:
            break
        other.unlink(missing_ok=True)
        held -= size
    return True
