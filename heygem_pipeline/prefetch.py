"""Work in a thread of its own: an iterator that works ahead, by a few items at most, and what is computed beside."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread, local
from typing import Any, TypeVar

Item = TypeVar("Item")

FRAMES_AHEAD = 4
"""Decoded, drawn or composed while the one before is worked on: enough to even out frames that take longer."""

POLL_SECONDS = 0.1
"""How soon a thread notices that nobody wants its items any more."""


_ahead = local()
"""``dropped``: of each thread that works ahead, what tells that nobody wants its items any more; its own, and that of
whoever it works for."""


def is_unwanted() -> bool:
    """Whether nobody wants any more what this thread is making ahead; False where it makes nothing ahead.

    What waits long within one item asks this, so that a cancelled clip need not wait for it.
    """
    return any(dropped.is_set() for dropped in getattr(_ahead, "dropped", ()))


@dataclass(frozen=True)
class _Failed:
    error: BaseException


class _Finished: ...


def prefetch(items: Iterable[Item], by: int = 1) -> Generator[Item]:
    """Yield the items in order, while a thread makes up to ``by`` further ones; what it raises is raised here.

    The thread ends, and the items' own iterator is closed in it, when this is exhausted or closed. What is merely
    dropped may live on in the traceback of an error: use ``contextlib.closing``.
    """
    ready: Queue[Item | _Failed | _Finished] = Queue(by)
    dropped = Event()
    above: tuple[Event, ...] = getattr(_ahead, "dropped", ())

    def hand_over(item: Item | _Failed | _Finished) -> bool:
        while not dropped.is_set():
            try:
                ready.put(item, timeout=POLL_SECONDS)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        _ahead.dropped = (*above, dropped)
        iterator = iter(items)
        try:
            for item in iterator:
                if not hand_over(item):
                    return
                del item
            hand_over(_Finished())
        except BaseException as error:  # raised again where the items are wanted
            hand_over(_Failed(error))
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    thread = Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, _Finished):
                return
            if isinstance(item, _Failed):
                raise item.error
            yield item
            del item
    finally:
        dropped.set()
        _empty(ready)
        thread.join()


def beside(work: Callable[[], Item]) -> Future[Item]:
    """Have something computed while the caller goes on. Where nobody wants it any more, it is not waited for."""
    made: Future[Item] = Future()

    def compute() -> None:
        try:
            made.set_result(work())
        except BaseException as error:  # raised again where the result is wanted
            made.set_exception(error)

    Thread(target=compute, name="beside", daemon=True).start()
    return made


def _empty(queue: "Queue[Any]") -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
