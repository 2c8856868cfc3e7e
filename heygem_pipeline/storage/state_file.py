"""Small JSON files in the data folder: what of them cannot be read is set aside, and the work goes on without it."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from time import strftime
from typing import Any, TypeVar

from heygem_pipeline.messages.message import Message

T = TypeVar("T")

NOT_READABLE = (ValueError, TypeError, KeyError, AttributeError, IsADirectoryError)
"""What reading a file raises that is no JSON, or holds something else than it should."""


def read_state(path: Path, understand: Callable[[Any], T], nothing: T) -> T:
    """What ``understand`` makes of the file's JSON; ``nothing`` where there is no such file, or a damaged one.

    A damaged one gets another name, so that a person can look at it, and a warning says so.
    """
    try:
        with path.open("rb") as file:
            opened = os.fstat(file.fileno())
            try:
                return understand(json.loads(file.read()))
            except NOT_READABLE:
                _set_aside(path, opened)
    except FileNotFoundError:
        pass
    except IsADirectoryError:
        _set_aside(path, path.stat())
    return nothing


def _set_aside(path: Path, seen: os.stat_result) -> None:
    aside = path.with_name(f"{path.name}.damaged-{strftime('%Y%m%d-%H%M%S')}")
    try:
        # Another process may have set it aside already, and written a good one.
        if os.path.samestat(path.stat(), seen):
            path.rename(aside)
            message = Message("state.set_aside", file=path.name, aside=aside.name)
            logging.getLogger(__name__).warning("%s", message)
    except FileNotFoundError:
        pass
