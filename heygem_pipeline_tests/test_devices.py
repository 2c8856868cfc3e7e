import os
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

import pytest

from heygem_pipeline.devices import CARD_IN_TURNS, BatchSize, card_to_itself, chosen_device, draw_in_turns
from heygem_pipeline.errors import DeviceUnusable
from heygem_pipeline.settings import settings

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def read_settings_anew() -> None:
    settings.cache_clear()


def test_auto_is_a_device_that_is_there() -> None:
    assert torch.ones(1, device=chosen_device("auto")).item() == 1


def test_a_card_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceUnusable, match="cuda:97"):
        chosen_device("cuda:97")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "CPU", ""])
def test_what_is_no_device_is_refused_by_the_settings(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HEYGEM_DEVICE", name)
    with pytest.raises(ValueError, match="device"):
        settings()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("heygem_pipeline.devices.gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv(CARD_IN_TURNS, "")


@pytest.mark.usefixtures("turns")
def test_whoever_shares_a_card_waits_until_the_other_has_drawn() -> None:
    draw_in_turns("0")
    waits, drawn = Event(), Event()

    def other() -> None:
        with card_to_itself(lambda _sentence: waits.set()):
            drawn.set()

    thread = Thread(target=other)
    with card_to_itself():
        thread.start()
        assert waits.wait(60) and not drawn.wait(0.3)
    thread.join(60)
    assert drawn.is_set()


@pytest.mark.usefixtures("turns")
def test_another_card_is_not_waited_for() -> None:
    draw_in_turns("0")
    with card_to_itself():
        draw_in_turns("1")
        with card_to_itself(pytest.fail):
            pass


@pytest.mark.usefixtures("turns")
def test_a_card_is_free_when_whoever_drew_was_killed() -> None:
    draw_in_turns("0")
    child = os.fork()
    if not child:
        with card_to_itself():
            os._exit(0)
    os.waitpid(child, 0)
    with card_to_itself(pytest.fail):
        pass


class Card:
    """Computes squares, of ``room`` items at a time at most."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.tried.append(len(items))
        if len(items) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return [item * item for item in items]


def test_a_batch_that_does_not_fit_is_halved_and_nothing_is_lost() -> None:
    card, batch = Card(room=3), BatchSize(16, "cuda")
    assert batch.run(list(range(21)), card) == [item * item for item in range(21)]
    assert card.tried[:4] == [16, 8, 4, 2]
    assert batch.items == 2
    assert batch.run([5], card) == [25]


def test_memory_too_small_for_one_item_says_what_to_do() -> None:
    with pytest.raises(DeviceUnusable, match="HEYGEM_DEVICE=cpu"):
        BatchSize(4, "cuda").run([1, 2], Card(room=0))


class AppleCard(Card):
    """Tells lack of memory with an error that any other failure may have too."""

    def __call__(self, items: Sequence[int]) -> list[int]:
        try:
            return super().__call__(items)
        except torch.OutOfMemoryError:
            raise RuntimeError("it does not fit") from None


def test_on_apple_devices_whatever_fails_is_tried_with_less() -> None:
    card, batch = AppleCard(room=3), BatchSize(16, "mps")
    assert batch.run(list(range(21)), card) == [item * item for item in range(21)]
    assert batch.items == 2
    with pytest.raises(RuntimeError, match="does not fit"):
        BatchSize(16, "cuda").run([1, 2], AppleCard(room=1))


def test_what_fails_on_an_apple_device_with_one_item_is_told_with_its_reason() -> None:
    with pytest.raises(DeviceUnusable, match="mps cannot compute a single frame: it does not fit"):
        BatchSize(4, "mps").run([1, 2], AppleCard(room=0))


def test_other_errors_are_not_taken_for_lack_of_memory() -> None:
    def broken(items: Sequence[int]) -> list[int]:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        BatchSize(4, "cuda").run([1], broken)
