"""What the page knows of uploads at first sight. Looking is left to one worker process, which ends when it idles."""

import asyncio
import json
import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio.first_look import FirstLook, end_with_parent, examine, record_of, take_in
from heygem_pipeline.uploads.registry import UploadKind

IDLE_SECONDS = 60.0


class FirstLooks:
    """Each file is looked at once, and again after it has changed."""

    def __init__(self, folders: DataFolders, settings: Settings) -> None:
        self._folders = folders
        self._settings = settings
        self._known: dict[Path, FirstLook] = {}
        self._under_way: dict[Path, asyncio.Task[None]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._ending: asyncio.TimerHandle | None = None

    def known(self, kind: UploadKind, path: Path) -> FirstLook | None:
        """What was seen of this very file; None where it has not been looked at yet."""
        place = self._folders.first_look(kind, path.name)
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        look = self._known.get(place) or self._read(place)
        if look is None or (look.size, look.modified) != (status.st_size, status.st_mtime_ns):
            return None
        self._known[place] = look
        return look

    def want(self, kind: UploadKind, path: Path, new: bool = False) -> None:
        """Have the file looked at, unless it is under way. new: it has no partition key yet."""
        if path not in self._under_way:
            self._under_way[path] = asyncio.get_running_loop().create_task(self._look(kind, path, new))

    def end(self) -> None:
        """End the worker."""
        for task in self._under_way.values():
            task.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    @property
    def busy(self) -> bool:
        """Is a file being looked at?"""
        return bool(self._under_way)

    async def _look(self, kind: UploadKind, path: Path, new: bool) -> None:
        place, loop = self._folders.first_look(kind, path.name), asyncio.get_running_loop()
        try:
            async with self._one_at_a_time:
                if self._ending is not None:
                    self._ending.cancel()
                if self._pool is None:
                    spawn = multiprocessing.get_context("spawn")
                    self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=end_with_parent)
                try:
                    if new:
                        await loop.run_in_executor(self._pool, take_in, self._folders, path)
                    self._known[place] = await loop.run_in_executor(
                        self._pool, examine, kind, path, place, self._settings
                    )
                except FileNotFoundError:
                    pass  # removed meanwhile
                except BrokenProcessPool:
                    # The file brought the worker down; the pipeline's own analysis will say what is wrong with it.
                    self._pool = None
                    self._known[place] = _unread(path)
                except Exception:
                    logging.getLogger(__name__).exception("The first look at %s failed", path.name)
                    self._known[place] = _unread(path)
                self._ending = loop.call_later(IDLE_SECONDS, self.end)
        finally:
            self._under_way.pop(path, None)

    def _read(self, place: Path) -> FirstLook | None:
        with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            return FirstLook.from_json(json.loads(record_of(place).read_text(encoding="utf-8")))
        return None


def _unread(path: Path) -> FirstLook:
    status = path.stat()
    return FirstLook(status.st_size, status.st_mtime_ns)
