"""How much room a disk has."""

import shutil
from pathlib import Path


def free_bytes(path: Path) -> int:
    """Bytes free on the disk that holds ``path``, or would hold it."""
    return shutil.disk_usage(next(folder for folder in (path, *path.absolute().parents) if folder.exists())).free
