"""How much space stays free on the disk: below it no clip is started, and no upload taken that would leave less."""

from pathlib import Path

from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.atomic import free_bytes
from heygem_pipeline.storage.paths import DataFolders


def lack_of_free_space(folders: DataFolders, keep_free_gb: float) -> Message | None:
    """Why no new clip should be started now; None where there is space.

    Uploads are analysed all the same: what the store keeps of them is small.

    Args:
        keep_free_gb: the setting.
    """
    # Either may be a link to another disk.
    free = min(free_bytes(folders.root / name) for name in ("store", "outputs")) / 1e9
    if free >= keep_free_gb:
        return None
    return Message("disk.nearly_full", free=round(free, 1), wanted=keep_free_gb)


def has_space_for(folder: Path, size: int, keep_free_gb: float) -> bool:
    """Would a file of ``size`` bytes leave enough free?"""
    return free_bytes(folder) >= size + keep_free_gb * 1e9
