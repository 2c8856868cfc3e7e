"""Where networks run: the setting ``device``, made into one of torch's, whose turn it is, and batches that fit."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, TypeVar

from heygem_pipeline.errors import DeviceUnusable

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

CARD_IN_TURNS = "HEYGEM_CARD_IN_TURNS"
"""Set in the environment of processes that share a graphics card: the file that says whose turn it is."""

UNTYPED_ERRORS = "mps"
"""On Apple's devices PyTorch has no type of its own for lack of memory: whatever fails there is tried with less."""

logger = logging.getLogger(__name__)


def chosen_device(name: str = "auto") -> "torch.device":
    """The device of the setting; ``auto`` is the first CUDA card, else Apple's (mps), else the processor.

    Raises DeviceUnusable where one is named that this machine, or its PyTorch, does not have.
    """
    # Read when torch is first imported. OpenMP's threads would else spin while they wait, and take the cores from the
    # decoder and the encoder beside them: with two cores busy otherwise, a network ran at less than half its speed.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(name)
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }[device.type]
    if (device.index or 0) >= there:
        raise DeviceUnusable("device.absent", device=name)
    return device


def cards_of(numbers: str | None) -> list[str]:
    """The names of this machine's graphics cards, as NVIDIA's driver lists them; none where there is no driver.

    Args:
        numbers: only those with one of these, as CUDA_VISIBLE_DEVICES has them; None is all.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    asked = [program, "--query-gpu=index,name", "--format=csv,noheader"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    cards = dict(line.split(", ", 1) for line in said.splitlines() if ", " in line)
    return [name for number, name in cards.items() if numbers is None or number in numbers.split(",")]


def draw_in_turns(numbers: str | None) -> None:
    """From now on, this process and those it starts use these cards one at a time, beside all others that say so."""
    os.environ[CARD_IN_TURNS] = str(Path(gettempdir()) / f"heygem-card-{numbers or 'any'}.lock")


@contextmanager
def card_to_itself(waits: Callable[[str], None] = logger.info) -> Iterator[None]:
    """Have the card for the block; where nobody shares it, as on a single machine, Dagster's pool sees to that.

    Args:
        waits: told in a sentence that another one draws.
    """
    if CARD_IN_TURNS not in os.environ:
        yield
        return
    from filelock import FileLock, Timeout

    turn = FileLock(os.environ[CARD_IN_TURNS], mode=0o666)
    try:
        turn.acquire(blocking=False)
    except Timeout:
        waits("Ready to draw; another run has the graphics card until it has drawn.")
        turn.acquire()
    try:
        yield
    finally:
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        turn.release()


@dataclass
class BatchSize:
    """How many items go through a network at once; halved where memory runs out, and never raised again.

    Attributes:
        items: how many now.
        device: type of the device that computes, ``"mps"``.
    """

    items: int
    device: str

    def run(self, items: Sequence[Item], compute: Callable[[Sequence[Item]], Sequence[Result]]) -> list[Result]:
        """Return ``compute`` of all items, batch by batch. Raises DeviceUnusable if not even one can be computed."""
        done: list[Result] = []
        while len(done) < len(items):
            batch = items[len(done) : len(done) + self.items]
            try:
                done += compute(batch)
            except RuntimeError as error:
                if not (self.device == UNTYPED_ERRORS or _is_lack_of_memory(error)):
                    raise
                self._halve(len(batch), error)
        return done

    def _halve(self, tried: int, error: RuntimeError) -> None:
        import torch

        if tried == 1 and _is_lack_of_memory(error):
            raise DeviceUnusable("device.memory") from error
        if tried == 1:
            reason = " ".join(str(error).split()).rstrip(".")
            raise DeviceUnusable("device.failed", device=self.device, reason=reason) from error
        self.items = tried // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        logger.warning("The device failed at %d frames a batch; going on with %d: %s", tried, self.items, error)


def _is_lack_of_memory(error: RuntimeError) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError)
