"""The page and the daemon, started together and stopped together."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from time import monotonic, sleep
from types import FrameType

from filelock import FileLock, Timeout

from heygem_pipeline.automation.ingest import take_in_uploads
from heygem_pipeline.automation.instance import dagster_environment, open_instance, project_folder
from heygem_pipeline.automation.recovery import fail_abandoned_runs, remove_half_written
from heygem_pipeline.errors import AlreadyRunning
from heygem_pipeline.storage.folders import data_folders

PATIENCE = 20.0
"""Seconds the processes get to stop by themselves."""


def serve(host: str, port: int) -> int:
    """Run webserver and daemon until Ctrl-C or SIGTERM, or until one of them stops; return the exit status.

    Raises AlreadyRunning where another process serves this data folder.
    """
    environment = os.environ | dagster_environment()
    workspace = ["--workspace", str(project_folder() / "workspace.yaml")]
    lock = FileLock(data_folders().state / "serving.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise AlreadyRunning(f"The page of {data_folders().root} is running already; stop that one first.") from error
    with lock:
        with open_instance() as instance:
            fail_abandoned_runs(instance)
            remove_half_written(data_folders())
            take_in_uploads(instance)
        stopping: list[int] = []

        def stop(number: int, _frame: FrameType | None) -> None:
            stopping.append(number)

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        commands = (
            ["dagster_webserver", "--host", host, "--port", str(port), *workspace],
            ["dagster._daemon", "run", *workspace],
        )
        # Process groups of their own, so that Ctrl-C reaches us first and each is asked to stop once.
        processes = [
            subprocess.Popen([sys.executable, "-m", *command], env=environment, process_group=0) for command in commands
        ]
        try:
            while not stopping and all(process.poll() is None for process in processes):
                sleep(0.2)
        finally:
            _stop(processes)
    return 0 if stopping else 1


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    deadline = monotonic() + PATIENCE
    for process in processes:
        try:
            process.wait(max(0.0, deadline - monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
