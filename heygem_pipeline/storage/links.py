"""Links: a folder of the data folder may lie elsewhere, but nothing inside leads to other files of the machine."""

from pathlib import Path


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
