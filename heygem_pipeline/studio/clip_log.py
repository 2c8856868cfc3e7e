"""A clip's log as people read it in the page: no path of this machine, no program's inside."""

import logging
import re
from itertools import islice
from pathlib import Path
from typing import Any

from heygem_pipeline.runs.instance import Instance
from heygem_pipeline.runs.run_log import Line, latest_run, read_log
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders

MOST_LINES = 2000

_PATH = re.compile(r"(?<![\w:/.])/(?:[^\s/:'\"<>|]+/)+([^\s/:'\"<>|]*)")


def log_of(instance: Instance, folders: DataFolders, clip: ClipKey) -> dict[str, Any]:
    """Lines of the latest run of a clip, else of the voice or presenter that keeps it from being made."""
    for name in (clip.label, clip.presenter, clip.voice):
        run = latest_run(instance, name)
        if run is not None:
            lines = [
                {
                    "at": line.at,
                    "level": logging.getLevelName(line.level),
                    "stage": line.stage,
                    "message": without_paths(_short(line), folders.root),
                }
                for line in islice(read_log(instance, run), MOST_LINES)
            ]
            return {"run": run.run_id, "subject": name, "lines": lines}
    return {"run": None, "subject": "", "lines": []}


def _short(line: Line) -> str:
    """What happened, and the error that was at its root; the rest of a stack trace is for Dagster's page."""
    first, _, more = line.message.partition("\n")
    then = line.cause or more.strip().partition("\n")[0]
    return f"{first} {then}".rstrip()


def without_paths(text: str, root: Path) -> str:
    """The text with file names for paths; those of the data folder begin at it."""
    return _PATH.sub(r"\1", text.replace(str(root), root.name))
