"""One runner of the graph for each data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from heygem_pipeline.errors import AlreadyRunning
from heygem_pipeline.storage.folders import data_folders


@contextmanager
def only_runner() -> Iterator[int]:
    """Hold the data folder's lock and give its descriptor: a child that inherits it holds the lock until it ends too.

    Raises AlreadyRunning.
    """
    folders = data_folders()
    folders.make()
    descriptor = os.open(folders.lock_file, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning("data_folder.in_use", folder=str(folders.root)) from error
        yield descriptor
    finally:
        os.close(descriptor)


def is_in_place(lock: int) -> bool:
    """Is the lock's file still where it was made, and with it the data folder?"""
    try:
        return os.path.samestat(data_folders().lock_file.stat(), os.fstat(lock))
    except OSError:
        return False


def is_served() -> bool:
    """Does the page, the daemon or another command run the graph on this data folder now?"""
    try:
        with only_runner():
            return False
    except AlreadyRunning:
        return True
