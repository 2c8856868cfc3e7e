"""The disk is watched: new clips wait before it is full."""

from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.atomic import free_bytes
from heygem_pipeline.storage.folders import DataFolders


def lack_of_room(folders: DataFolders, wanted: float) -> Message | None:
    """Why no new clip should be started now; None where there is room.

    Uploads are analysed all the same: what the store keeps of them is small. wanted: gigabytes free.
    """
    # Either may be a link to another disk.
    free = min(free_bytes(folders.root / name) for name in ("store", "outputs")) / 1e9
    if free >= wanted:
        return None
    return Message("disk.nearly_full", free=round(free, 1), wanted=wanted)
