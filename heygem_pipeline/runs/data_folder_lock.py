"""One runner of the graph for each data folder, and for each cluster."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heygem_pipeline.errors import AlreadyRunning
from heygem_pipeline.storage.paths import DataFolders

if TYPE_CHECKING:
    from heygem_pipeline.runs.controller_lock import ControllerLock


@dataclass(frozen=True)
class RunnerLock:
    """That of a data folder, and with it of a cluster.

    Attributes:
        descriptor: a child that inherits it holds the lock until it ends too.
        controller_lock: of the cluster's.
    """

    descriptor: int
    controller_lock: "ControllerLock | None"


@contextmanager
def only_runner(folders: DataFolders) -> Iterator[RunnerLock]:
    """Hold the data folder's lock.

    Raises AlreadyRunning, of a cluster also at the end, or in the middle after SIGINT, where another has got its lock
    meanwhile; and ClusterUnusable, where its database does not answer.
    """
    folders.make()
    descriptor = os.open(folders.lock_file, os.O_RDWR | os.O_CREAT)
    controller_lock = None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning("data_folder.in_use", folder=str(folders.root)) from error
        controller_lock = _controller_lock_of(folders)
        yield RunnerLock(descriptor, controller_lock)
    finally:
        os.close(descriptor)
        if controller_lock is not None:
            controller_lock.let_go()


def _controller_lock_of(folders: DataFolders) -> "ControllerLock | None":
    if not folders.database:
        return None
    from heygem_pipeline.runs.controller_lock import ControllerLock

    return ControllerLock(folders)


def is_in_place(folders: DataFolders, lock: RunnerLock) -> bool:
    """Is the lock's file still where it was made, and with it the data folder?"""
    try:
        return os.path.samestat(folders.lock_file.stat(), os.fstat(lock.descriptor))
    except OSError:
        return False


def is_served(folders: DataFolders) -> bool:
    """Does the page, the daemon or another command run the graph on this data folder now, on whatever machine?"""
    if folders.database:
        from heygem_pipeline.runs.controller_lock import holder_of

        return holder_of(folders.database) is not None
    try:
        with only_runner(folders):
            return False
    except AlreadyRunning:
        return True
