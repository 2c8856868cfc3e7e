"""Frames and patches that pass by, counted and timed."""

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import TypeVar

Item = TypeVar("Item")


class Metered(Iterator[Item]):
    """Passes items on, tells how many have gone by, and how many seconds they took to come."""

    def __init__(self, items: Iterable[Item], progress: Callable[[int], None] | None = None) -> None:
        self._items = iter(items)
        self._progress = progress
        self.count = 0
        self.seconds = 0.0

    def __next__(self) -> Item:
        started = perf_counter()
        try:
            item = next(self._items)
        finally:
            self.seconds += perf_counter() - started
        self.count += 1
        if self._progress is not None:
            self._progress(self.count)
        return item
