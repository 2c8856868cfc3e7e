"""One call of a program: a video and a sound go in, a video comes back, and nothing is left."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from uuid import uuid4

from filelock import FileLock, Timeout

from heygem_pipeline.errors import ProgramFailed
from heygem_pipeline.lipsync.program.recipe import Recipe
from heygem_pipeline.prefetch import is_unwanted

PREFIX = "heygem-"
POLL_SECONDS = 0.1

FORGOTTEN_SECONDS = 24 * 3600.0


class Unwanted(Exception):
    """Nobody wants the clip any more."""


@dataclass(frozen=True)
class Task:
    """One call.

    Attributes:
        name: an own one.
        work: folder of this call, removed after it.
        video: the presenter's frames, to be written before the call.
        sound: the voice, likewise.
        until: by ``time.monotonic``, when it has to be done.
    """

    recipe: Recipe
    name: str
    work: Path
    video: Path
    sound: Path
    until: float

    @property
    def result(self) -> Path:
        """Where a result is read from in the end."""
        return self.work / "result.mp4"

    def places(self, rate: Fraction, frames: int) -> Mapping[str, str]:
        """What the placeholders of the recipe stand for."""
        return {
            "video": str(self.video),
            "sound": str(self.sound),
            "result": str(self.result),
            "work": str(self.work),
            "id": self.name,
            "video_name": self.video.name,
            "sound_name": self.sound.name,
            "rate": f"{float(rate):.6g}",
            "frames": str(frames),
        }

    def require_time(self) -> None:
        """Raise ProgramFailed where the time is up, and Unwanted where nobody waits for the clip any more."""
        if is_unwanted():
            raise Unwanted
        if time.monotonic() > self.until:
            raise ProgramFailed("program.too_slow", program=self.recipe.name, seconds=self.recipe.time_limit_seconds)


@contextmanager
def task_of(recipe: Recipe) -> Iterator[Task]:
    """Give a call its files and its turn; afterwards remove the files."""
    name = f"{PREFIX}{uuid4().hex}"
    shared = recipe.service.folder if recipe.service else None
    with TemporaryDirectory(prefix=PREFIX) as folder, _turn(recipe):
        place = shared or Path(folder)
        # Names that no shell and no service has to think about, whatever a voice is called.
        files = (f"{name}-presenter.mp4", f"{name}-voice.wav") if shared else ("presenter.mp4", "voice.wav")
        until = time.monotonic() + recipe.time_limit_seconds
        task = Task(recipe, name, Path(folder), place / files[0], place / files[1], until)
        try:
            if shared is not None:
                _remove_forgotten(shared, recipe.time_limit_seconds)
            yield task
        finally:
            if shared is not None:
                for left in shared.glob(f"{name}*"):
                    left.unlink(missing_ok=True)


def _remove_forgotten(shared: Path, time_limit: float) -> None:
    """Remove files of calls whose pipeline was killed, and results of those that nobody waited for."""
    before = time.time() - max(FORGOTTEN_SECONDS, 2 * time_limit)
    for left in shared.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if left.is_file() and left.stat().st_mtime < before:
                left.unlink()


@contextmanager
def _turn(recipe: Recipe) -> Iterator[None]:
    """Wait until no other one works, where the program stands no other beside it."""
    if not recipe.exclusive:
        yield
        return
    digest = sha256(recipe.model_dump_json().encode()).hexdigest()[:16]
    lock = FileLock(Path(gettempdir()) / f"{PREFIX}program-{digest}.lock", mode=0o666)
    while True:
        try:
            lock.acquire(timeout=POLL_SECONDS)
            break
        except Timeout:
            if is_unwanted():
                raise Unwanted from None
    try:
        yield
    finally:
        lock.release()
