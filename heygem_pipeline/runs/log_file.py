"""The one rotating log of everything, safe for several processes: ``data/logs/heygem.log``."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

import dagster as dg

# The handler's locks would import Redis's client into every process, wherever that is installed.
sys.modules.setdefault("portalocker.redis", None)  # pyright: ignore[reportArgumentType]
from concurrent_log_handler import ConcurrentRotatingFileHandler

from heygem_pipeline.runs.run_log import NO_STEP, Line, level_and_text, subject_in
from heygem_pipeline.runs.stages import step_name
from heygem_pipeline.storage.paths import DataFolders, data_folders

BYTES_A_FILE = 10 * 2**20
OLD_FILES = 5


class LogFile(ConcurrentRotatingFileHandler):
    """What dagster.yaml names as the handler of every run's log lines.

    Args:
        folders: Dagster gives none; then they are those of the settings.
    """

    def __init__(self, folders: DataFolders | None = None) -> None:
        path = (folders or data_folders()).log_file
        path.parent.mkdir(parents=True, exist_ok=True)
        # Dagster makes a handler for every run and closes none of them: the file must not stay open between lines.
        super().__init__(
            str(path), maxBytes=BYTES_A_FILE, backupCount=OLD_FILES, encoding="utf-8", keep_file_open=False
        )
        self.addFilter(lambda record: _line(record) is not None)
        self.setFormatter(LineFormatter())

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is Python's
        """Without room on the disk there is no line, and no other ado."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


class LineFormatter(logging.Formatter):
    """Time, level, run, clip and stage before the first line of every message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line, and below it, indented, what its message or its exception has more."""
        return str(_line(record) or "")


def note(
    folders: DataFolders, message: str, stage: str, run: dg.DagsterRun | None = None, level: int = logging.INFO
) -> None:
    """Write a line of the pipeline's own: what it did to a run from outside, or with no run at all.

    Args:
        stage: who did it.
    """
    about = {"run_id": run.run_id, "job_tags": run.tags} if run is not None else {}
    meta = {"orig_message": message, "step_key": stage} | about
    try:
        handler = LogFile(folders)
    except OSError:
        return  # no room on the disk, or no right to write there
    try:
        handler.handle(logging.makeLogRecord({"levelno": level, "msg": message, "dagster_meta": meta}))
    finally:
        handler.close()


def _line(record: logging.LogRecord) -> Line | None:
    """The line of a record, None where it has none. Dagster puts whose run it is into ``record.dagster_meta``."""
    meta: Mapping[str, Any] = getattr(record, "dagster_meta", {})
    shown = level_and_text(meta.get("orig_message", record.getMessage()), record.levelno, meta.get("dagster_event"))
    if shown is None:
        return None
    level, message = shown
    if record.exc_info:
        message += "\n" + logging.Formatter().formatException(record.exc_info)
    stage = step_name(meta.get("step_key") or NO_STEP)
    return Line(record.created, level, meta.get("run_id") or "", subject_in(meta.get("job_tags", {})), stage, message)
