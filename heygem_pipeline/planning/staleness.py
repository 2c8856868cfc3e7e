"""Whether what was made is out of date: its version string is not the one it would have now."""

from heygem_pipeline.planning.status import DONE, READY, STALE, Status


def compare(made: str | None, wanted: str) -> Status:
    """Compare two versions (``storage/versions.py``): done where they are the same, else stale, or ready to be made.

    Args:
        made: of what is there; None where nothing is.
        wanted: of what would be made now.
    """
    if made == wanted:
        return DONE
    return READY if made is None else STALE
