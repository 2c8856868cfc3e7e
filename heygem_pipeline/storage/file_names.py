"""Names of files: those that a file system takes, and those that go with others."""

import errno
from pathlib import Path

SIDECAR_SUFFIX = ".yaml"


def has_possible_name(path: Path) -> bool:
    """Can there be a file of this name? Most file systems take 255 bytes, and a path of 4 096."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    except ValueError:
        return False
    return True


def sidecar_of(upload: Path) -> Path:
    """Where the sidecar of an upload lies, if it has one: ``anna.yaml`` for ``anna.mp4``."""
    return upload.with_suffix(SIDECAR_SUFFIX)


def is_there(path: Path) -> bool:
    """Is there a file of this name? None has a name that is not possible."""
    return has_possible_name(path) and path.exists()
