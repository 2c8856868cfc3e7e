"""When an upload is complete: its size and time have stood still."""

from pathlib import Path
from time import time

from heygem_pipeline.storage.path_checks import is_there

STILL_SECONDS = 4.0
"""A file whose last change is older needs no second look: the disk says that it stood still."""

FILES_A_LOOK = 200
BYTES_A_LOOK = 2 * 2**30
"""What is read in one look, so that it ends well before Dagster's limit of 60 seconds; the rest waits for the next."""

DOWNLOAD_BESIDE = (".part", ".crdownload", ".download")
"""Browsers hold a place with an empty file while the content grows in another of its name with this ending."""


class Settling:
    """Which files are complete, and few enough to be read in one look.

    Attributes:
        unsettled: folder/name -> [size, time of change in nanoseconds] of those that were not, for the next look.
    """

    def __init__(self, before: dict[str, list[int]]) -> None:
        self._before = before
        self._files = FILES_A_LOOK
        self._bytes = BYTES_A_LOOK
        self.unsettled: dict[str, list[int]] = {}

    def __call__(self, path: Path) -> bool:
        """May this new or changed file be read now?"""
        try:
            status = path.stat()
        except OSError:
            return False
        name, look = f"{path.parent.name}/{path.name}", [status.st_size, status.st_mtime_ns]
        still = self._before.get(name) == look or time() - max(status.st_ctime, status.st_mtime) >= STILL_SECONDS
        under_way = any(is_there(path.with_name(path.name + ending)) for ending in DOWNLOAD_BESIDE)
        # One file is read in any case, however large it is.
        room = self._files == FILES_A_LOOK or (self._files > 0 and status.st_size <= self._bytes)
        if not still or under_way or not room:
            self.unsettled[name] = look
            return False
        self._files -= 1
        self._bytes -= status.st_size
        return True
