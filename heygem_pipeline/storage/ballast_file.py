"""A ballast file: room on the disk that is kept back, so that ``heygem prune`` can work when nothing else can."""

from contextlib import suppress

from heygem_pipeline.errors import DiskFull
from heygem_pipeline.storage.atomic import atomic_path, free_bytes
from heygem_pipeline.storage.paths import DataFolders

BALLAST_BYTES = 4 * 2**20
"""What Dagster's databases need for being opened and for what is deleted from them."""


def keep_ballast(folders: DataFolders) -> None:
    """Keep room back, where there is plenty; it is given up by ``release_ballast``."""
    place = folders.ballast
    with suppress(OSError, DiskFull):
        if not place.exists() and free_bytes(folders.root) > 4 * BALLAST_BYTES:
            with atomic_path(place) as temporary, temporary.open("wb") as file:
                # Written, not only reckoned: file systems keep no room for zeros that were skipped.
                for _ in range(BALLAST_BYTES // 2**20):
                    file.write(bytes(2**20))


def release_ballast(folders: DataFolders) -> None:
    """Give the room back where there is none otherwise."""
    with suppress(OSError):
        if free_bytes(folders.root) < BALLAST_BYTES:
            folders.ballast.unlink(missing_ok=True)
