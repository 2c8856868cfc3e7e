"""How far a run is: the register ``progress/<run id>``, written by its step now and then, and gone when that ends."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from heygem_pipeline.errors import DiskFull
from heygem_pipeline.runs.stages import Stage
from heygem_pipeline.storage.paths import PROGRESS, DataFolders


@dataclass(frozen=True)
class Progress:
    """How far a step is.

    Attributes:
        done: how many of its unit.
        total: of how many.
        started: POSIX time the step began.
        at: POSIX time of this reading.
    """

    step: str
    done: int
    total: int
    started: float
    at: float
    unit: str = "frames"

    @property
    def share(self) -> float:
        """0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def speed(self) -> float:
        """Units a second until now; 0 before the first."""
        spent = self.at - self.started
        return self.done / spent if spent > 0 else 0.0

    @property
    def step_seconds_left(self) -> float | None:
        """Of the step, at its speed until now; None before the first frame."""
        return seconds_for_rest(self.share, self.at - self.started)

    def share_of_run(self, stage: Stage) -> float:
        """Of all that the run does, 0 to 1: a clip is drawn first, then encoded, which take about as long."""
        if stage is not Stage.CLIP:
            return self.share
        return self.share / 2 + (0.5 if self.step == "encoded_video" else 0.0)

    def __str__(self) -> str:
        left = self.step_seconds_left or 0.0
        return f"{self.done} of {self.total} {self.unit}, {self.speed:.1f} {self.unit}/s, {left:.0f} s left"


def seconds_for_rest(share: float, spent: float) -> float | None:
    """Seconds that the rest takes when ``share`` (0 to 1) took ``spent`` seconds; None where nothing is done yet."""
    return spent * (1 - share) / share if share > 0 else None


def write_progress(folders: DataFolders, run_id: str, progress: Progress) -> None:
    """Let others see it. A disk that is full or away, or such a database, keeps no step from working on."""
    with suppress(OSError, DiskFull, SQLAlchemyError):
        folders.progress(run_id).put(asdict(progress))


def read_progress(folders: DataFolders, run_id: str) -> Progress | None:
    """How far the run's step is; None where it does not tell."""
    return folders.progress(run_id).read(lambda stored: Progress(**stored), None)


def remove_progress(folders: DataFolders, run_id: str) -> None:
    """The step has ended."""
    with suppress(OSError, SQLAlchemyError):
        folders.progress(run_id).remove()


def progress_files(folders: DataFolders) -> list[Path]:
    """Of the steps at work on this machine; and of those that were killed, until they are removed."""
    return sorted((folders.state / PROGRESS).glob("*.json"))
