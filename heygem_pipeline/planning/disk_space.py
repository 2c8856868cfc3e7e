"""The disk is watched: new clips wait before it is full."""

from heygem_pipeline.settings import settings
from heygem_pipeline.storage.disk import free_bytes
from heygem_pipeline.storage.folders import DataFolders


def lack_of_room(folders: DataFolders) -> str:
    """Why no new clip should be started now; empty where there is room.

    Uploads are analysed all the same: what the store keeps of them is small.
    """
    wanted = settings().keep_free_gb
    # Either may be a link to another disk.
    free = min(free_bytes(folders.root / name) for name in ("store", "outputs")) / 1e9
    if free >= wanted:
        return ""
    return (
        f"The disk has {free:.1f} GB free; no clip is started until it has {wanted:g} GB (HEYGEM_KEEP_FREE_GB). "
        "What may go: heygem prune --dry-run."
    )
