"""The answer of the planner for one voice, presenter, clip or delivery."""

from dataclasses import dataclass
from enum import StrEnum


class Stand(StrEnum):
    """Where something stands."""

    WAITING = "waiting"
    READY = "ready"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STALE = "stale"
    FAILED = "failed"
    REMOVED = "removed"


@dataclass(frozen=True)
class Standing:
    """sentence: why it waits or failed. run_id: of the run that is queued, running or failed. share: done, 0 to 1."""

    stand: Stand
    sentence: str = ""
    run_id: str | None = None
    share: float | None = None

    @property
    def to_be_made(self) -> bool:
        """Could a run be started for it now?"""
        return self.stand in (Stand.READY, Stand.STALE)

    @property
    def missing(self) -> bool:
        """Is it still to come: not made as it should be, in no run, and not failed?"""
        return self.stand in (Stand.WAITING, Stand.READY, Stand.STALE)

    @property
    def settled(self) -> bool:
        """Will it stay so until something is changed, or somebody asks for more?"""
        return self.stand in (Stand.DONE, Stand.FAILED, Stand.REMOVED)

    @property
    def active_run(self) -> str | None:
        """The run that will make it or is making it."""
        return self.run_id if self.stand in (Stand.QUEUED, Stand.RUNNING) else None


WAITING, READY, QUEUED, DONE, STALE = (
    Standing(stand) for stand in (Stand.WAITING, Stand.READY, Stand.QUEUED, Stand.DONE, Stand.STALE)
)

REMOVED = Standing(
    Stand.REMOVED, "It was removed for its age (HEYGEM_KEEP_OUTPUTS_DAYS); to make it again: heygem retry."
)
