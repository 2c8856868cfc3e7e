"""Dagster's instance, opened by several processes at once."""

import os
import subprocess
import sys

from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.paths import DataFolders

OPEN = """
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.paths import data_folders

with open_instance(data_folders()) as instance:
    instance.get_runs()
"""


def test_a_new_folders_databases_are_made_once_by_whoever_comes_first(new_data: DataFolders) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN], env=os.environ.copy(), stderr=subprocess.PIPE) for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 2, told


def test_a_run_that_hangs_is_ended_within_a_day(data: DataFolders) -> None:
    with open_instance(data) as instance:
        assert instance.run_monitoring_enabled
        assert 3600 <= instance.run_monitoring_max_runtime_seconds <= 86400
