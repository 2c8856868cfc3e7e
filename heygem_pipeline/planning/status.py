"""The answer of the planner for one voice, presenter, clip or delivery."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from heygem_pipeline.messages.message import Message


class State(StrEnum):
    """Where something stands."""

    WAITING = "waiting"
    READY = "ready"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STALE = "stale"
    FAILED = "failed"
    REMOVED = "removed"

    __hash__ = str.__hash__  # an enumeration's own is Python's, and the states of a hundred thousand clips are counted


SETTLED = frozenset((State.DONE, State.FAILED, State.REMOVED))


@dataclass(frozen=True)
class Status:
    """Where an upload, a clip or a ZIP stands.

    Attributes:
        reason: why it waits or failed.
        run_id: of the run that is queued, running or failed.
        share: done, 0 to 1.
    """

    state: State
    reason: Message | None = None
    run_id: str | None = None
    share: float | None = None

    @property
    def to_be_made(self) -> bool:
        """Could a run be started for it now?"""
        return self.state in (State.READY, State.STALE)

    @property
    def missing(self) -> bool:
        """Is it still to come: not made as it should be, in no run, and not failed?"""
        return self.state in (State.WAITING, State.READY, State.STALE)

    @property
    def settled(self) -> bool:
        """Will it stay so until something is changed, or somebody asks for more?"""
        return self.state in SETTLED

    @property
    def active_run(self) -> str | None:
        """The run that will make it or is making it."""
        return self.run_id if self.state in (State.QUEUED, State.RUNNING) else None


WAITING, READY, QUEUED, DONE, STALE = (
    Status(state) for state in (State.WAITING, State.READY, State.QUEUED, State.DONE, State.STALE)
)

REMOVED = Status(State.REMOVED, Message("clip.removed"))


def compare(made: str | None, wanted: str) -> Status:
    """Compare versions (``storage/version_strings.py``): done where they are the same, else stale, or ready to be made.

    Args:
        made: of what is there; None where nothing is.
        wanted: of what would be made now.
    """
    if made == wanted:
        return DONE
    return READY if made is None else STALE


def counts_in_words(counts: Mapping[State, int]) -> str:
    """How many stand where: ``3 ready, 1 failed``."""
    return ", ".join(f"{counts[state]} {state.value}" for state in State if counts.get(state))
