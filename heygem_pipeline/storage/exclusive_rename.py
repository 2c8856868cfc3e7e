"""A file that is whole gets a name that no other file has: nothing is ever written over."""

import os
from collections.abc import Iterable
from pathlib import Path


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
