"""Checks of a path: whether a file can be called so, is there, and lies where it seems to, whatever links say."""

import errno
from pathlib import Path


def has_possible_name(path: Path) -> bool:
    """Can there be a file of this name? Most file systems take 255 bytes, and a path of 4 096."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    except ValueError:
        return False
    return True


def is_there(path: Path) -> bool:
    """Is there a file of this name? None has a name that is not possible."""
    return has_possible_name(path) and path.exists()


def leads_out(path: Path, root: Path) -> bool:
    """Does a path below ``root`` end, by a link on the way, outside it and outside the folder of root it is in?

    Whoever runs the machine may link such a folder (``voices``, ``outputs``) to another disk.
    """
    folder = root / path.relative_to(root).parts[0]
    try:
        real = path.resolve()
        allowed = (root.resolve(), folder.resolve()) if folder != path else (root.resolve(),)
    except (OSError, RuntimeError):
        return True
    return not any(real.is_relative_to(place) for place in allowed)
