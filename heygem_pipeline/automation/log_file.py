"""The one rotating log of everything, safe for several processes: ``data/logs/heygem.log``."""

from concurrent_log_handler import ConcurrentRotatingFileHandler

from heygem_pipeline.storage.folders import data_folders

BYTES_A_FILE = 10 * 2**20
OLD_FILES = 5


class LogFile(ConcurrentRotatingFileHandler):
    """What dagster.yaml names as the handler of every run's log lines."""

    def __init__(self) -> None:
        path = data_folders().log_file
        path.parent.mkdir(parents=True, exist_ok=True)
        # Dagster makes a handler for every run and closes none of them: the file must not stay open between lines.
        super().__init__(
            str(path), maxBytes=BYTES_A_FILE, backupCount=OLD_FILES, encoding="utf-8", keep_file_open=False
        )
