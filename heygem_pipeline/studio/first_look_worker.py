"""What the page knows of uploads at first sight. Looking is left to worker processes of limited memory and time.

As a rule there is one, which ends when it idles. While one looks long, the next file is given to another.
"""

import asyncio
import json
import logging
import multiprocessing
import os
import signal
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from pathlib import Path

from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio.first_look import (
    FirstLook,
    become_worker,
    examine,
    in_limited_time,
    record_of,
    share_of,
    take_in,
)
from heygem_pipeline.uploads.registry import UploadKind

IDLE_SECONDS = 60.0

PATIENCE_SECONDS = 5.0
"""A file that is looked at for longer no longer keeps the next one waiting."""

MOST_WORKERS = 6


class Worker:
    """A process that looks at one file after the other."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.executor: Executor = ProcessPoolExecutor(1, mp_context=spawn, initializer=become_worker)
        self._process = self.executor.submit(os.getpid)

    def end(self) -> None:
        """End it, also while it looks."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        if self._process.done() and not self._process.cancelled() and self._process.exception() is None:
            process = self._process.result()
            if process != os.getpid():
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)


class FirstLooks:
    """Each file is looked at once, and again after it has changed."""

    def __init__(self, folders: DataFolders, settings: Settings) -> None:
        self._folders = folders
        self._settings = settings
        self._known: dict[Path, FirstLook] = {}
        self._under_way: dict[Path, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._room = asyncio.Semaphore(MOST_WORKERS)
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
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

    def share(self, kind: UploadKind, path: Path) -> float | None:
        """How much of a file was looked at, 0 to 1; None where it is not being looked at, or nothing is told yet."""
        if path not in self._under_way:
            return None
        with suppress(OSError, ValueError):
            return float(share_of(self._folders.first_look(kind, path.name)).read_text(encoding="utf-8"))
        return None

    def want(self, kind: UploadKind, path: Path, new: bool = False) -> None:
        """Have the file looked at, unless it is under way. new: it has no partition key yet."""
        if path not in self._under_way:
            self._under_way[path] = asyncio.get_running_loop().create_task(self._look(kind, path, new))

    def forget(self, kind: UploadKind, path: Path) -> None:
        """Look again, though the file is the same: how it is looked at has changed."""
        place = self._folders.first_look(kind, path.name)
        self._known.pop(place, None)
        record_of(place).unlink(missing_ok=True)

    def end(self) -> None:
        """End the workers."""
        for task in self._under_way.values():
            task.cancel()
        for worker in (*self._idle, *self._busy):
            worker.end()
        self._idle.clear()

    @property
    def busy(self) -> bool:
        """Is a file being looked at?"""
        return bool(self._under_way)

    async def _look(self, kind: UploadKind, path: Path, new: bool) -> None:
        looking: asyncio.Task[None] | None = None
        try:
            async with self._turn:
                await self._room.acquire()
                looking = asyncio.get_running_loop().create_task(self._look_at(kind, path, new))
                looking.add_done_callback(lambda _: self._room.release())
                await asyncio.wait({looking}, timeout=PATIENCE_SECONDS)
            await looking
        finally:
            if looking is not None:
                looking.cancel()
            self._under_way.pop(path, None)

    async def _look_at(self, kind: UploadKind, path: Path, new: bool) -> None:
        place, loop = self._folders.first_look(kind, path.name), asyncio.get_running_loop()
        worker, broken = self._taken_worker(), False
        try:
            if new:
                await self._take_in(worker, path)
            look = partial(examine, kind, path, place, self._settings)
            self._known[place] = await loop.run_in_executor(worker.executor, in_limited_time, look)
        except asyncio.CancelledError:
            broken = True
            raise
        except FileNotFoundError:
            pass  # removed meanwhile
        except BrokenProcessPool:
            # The file brought the worker down, or took too long.
            broken = True
            self._known[place] = _unread(path)
        except Exception:
            logging.getLogger(__name__).exception("The first look at %s failed", path.name)
            self._known[place] = _unread(path)
        finally:
            self._give_back(worker, broken)

    async def _take_in(self, worker: Worker, path: Path) -> None:
        run = asyncio.get_running_loop().run_in_executor
        try:
            await run(
                worker.executor, in_limited_time, partial(take_in, self._folders, path, self._settings.photographs_move)
            )
        except (BrokenProcessPool, FileNotFoundError):
            raise
        except Exception:
            # The sensor does it in some seconds; what is in the file can be seen all the same.
            logging.getLogger(__name__).exception("%s got no partition key yet", path.name)

    def _taken_worker(self) -> Worker:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        worker = self._idle.pop() if self._idle else Worker()
        self._busy.add(worker)
        return worker

    def _give_back(self, worker: Worker, broken: bool) -> None:
        self._busy.discard(worker)
        if broken or self._idle:
            worker.end()
            return
        self._idle.append(worker)
        self._ending = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end_idle)

    def _end_idle(self) -> None:
        while self._idle:
            self._idle.pop().end()

    def _read(self, place: Path) -> FirstLook | None:
        with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            return FirstLook.from_json(json.loads(record_of(place).read_text(encoding="utf-8")))
        return None


def _unread(path: Path) -> FirstLook:
    """Of a file that could not be looked at; the pipeline's own analysis says what is wrong with it."""
    status = path.stat()
    return FirstLook(status.st_size, status.st_mtime_ns, warnings=[Message("upload.not_looked_at", file=path.name)])
