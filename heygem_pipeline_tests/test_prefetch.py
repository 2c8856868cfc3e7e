"""Working ahead changes nothing but the time."""

import threading
from collections.abc import Iterator
from time import sleep

import pytest

from heygem_pipeline.prefetch import beside, prefetch


def threads() -> int:
    return sum(thread.name == "ahead" for thread in threading.enumerate())


def test_everything_comes_in_order_through_several_stages() -> None:
    squares = prefetch(number * number for number in prefetch(range(50), by=3))
    assert list(squares) == [number * number for number in range(50)]
    assert threads() == 0


def test_it_is_never_further_ahead_than_said() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    items = prefetch(numbers(), by=2)
    assert next(items) == 0
    sleep(0.3)
    # The one handed out, two that wait, and the next, made already.
    assert len(made) <= 4
    items.close()  # pyright: ignore[reportAttributeAccessIssue]


def test_an_error_is_raised_where_the_items_are_wanted() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("in the thread")

    items = prefetch(prefetch(broken()))
    assert next(items) == 1
    with pytest.raises(ZeroDivisionError, match="in the thread"):
        next(items)
    assert threads() == 0


def test_dropping_it_ends_the_threads_and_closes_what_they_read() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    items = prefetch(prefetch(endless()))
    assert next(items) == 1
    items.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert closed.is_set()
    assert threads() == 0


def test_what_is_computed_beside_is_there_when_it_is_asked_for() -> None:
    go = threading.Event()
    made = beside(lambda: go.wait(60) and "made")
    assert not made.done()
    go.set()
    assert made.result(60) == "made"


def test_what_fails_beside_is_raised_where_it_is_wanted() -> None:
    made = beside(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        made.result(60)
