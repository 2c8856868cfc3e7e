"""What people and schedules asked for beyond what is made by itself: the register ``requests``."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from time import time
from typing import Any

from heygem_pipeline.runs.stages import Stage
from heygem_pipeline.storage.paths import DataFolders

NAME = "requests"


@dataclass(frozen=True)
class Requests:
    """What people asked for.

    Attributes:
        clips: partition keys to be made whatever HEYGEM_AUTOMATIC says, in the order they were asked for.
        forgiven: "<stage> <key>" -> POSIX time up to which its failures no longer count.
        cancelled: partition keys not to be made until somebody asks for them -> POSIX time of the cancelling.
    """

    clips: list[str] = field(default_factory=list)
    forgiven: dict[str, float] = field(default_factory=dict)
    cancelled: dict[str, float] = field(default_factory=dict)


def read_requests(folders: DataFolders) -> Requests:
    """Return what was asked for and not started yet."""
    return folders.register(NAME).read(_understood, Requests())


def _understood(stored: dict[str, Any]) -> Requests:
    """Raises TypeError or ValueError for what this file never held."""
    requests = Requests(**stored)
    return Requests(
        [str(key) for key in requests.clips],
        {str(subject): float(until) for subject, until in requests.forgiven.items()},
        {str(key): float(at) for key, at in requests.cancelled.items()},
    )


def ask_for(folders: DataFolders, clips: Iterable[str]) -> None:
    """Have these clips (partition keys) made, those that were cancelled too."""
    clips = list(clips)
    _change(
        folders,
        lambda before: replace(
            before,
            clips=list(dict.fromkeys([*before.clips, *clips])),
            cancelled={key: at for key, at in before.cancelled.items() if key not in clips},
        ),
    )


def put_off(folders: DataFolders, clips: Iterable[str]) -> None:
    """Have these clips not made until somebody asks for them."""
    now = dict.fromkeys(clips, time())
    _change(
        folders,
        lambda before: replace(
            before, clips=[key for key in before.clips if key not in now], cancelled=before.cancelled | now
        ),
    )


def forgive(folders: DataFolders, subjects: Iterable[str]) -> None:
    """Let what failed until now be tried again; ``subjects`` as in ``Requests.forgiven``."""
    now = dict.fromkeys(subjects, time())
    _change(folders, lambda before: replace(before, forgiven=before.forgiven | now))


def withdraw(folders: DataFolders, clips: Iterable[str]) -> None:
    """Take clips off the lists: they were started or made, or are no longer wanted."""
    gone = set(clips)
    if gone:
        _change(
            folders,
            lambda before: replace(
                before,
                clips=[key for key in before.clips if key not in gone],
                cancelled={key: at for key, at in before.cancelled.items() if key not in gone},
            ),
        )


def erase_requests(folders: DataFolders, concerns: Callable[[str, str], bool]) -> None:
    """Keep nothing of the stages and partition keys that ``concerns`` says yes to."""
    _change(
        folders,
        lambda before: replace(
            before,
            clips=[key for key in before.clips if not concerns(Stage.CLIP, key)],
            cancelled={key: at for key, at in before.cancelled.items() if not concerns(Stage.CLIP, key)},
            forgiven={
                subject: until
                for subject, until in before.forgiven.items()
                if not concerns(*subject.split(" ", maxsplit=1))
            },
        ),
    )


def _change(folders: DataFolders, change: Callable[[Requests], Requests]) -> None:
    with folders.register(NAME).changing() as write:
        before = read_requests(folders)
        after = change(before)
        if after != before:
            write(asdict(after))
