"""The page and the daemon, started together and stopped together."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic, sleep
from types import FrameType

from heygem_pipeline.automation.ingest import take_in_uploads
from heygem_pipeline.automation.instance import dagster_environment, open_instance
from heygem_pipeline.automation.lock import only_runner
from heygem_pipeline.automation.recovery import end_leftover_processes, fail_abandoned_runs, remove_half_written
from heygem_pipeline.storage.folders import data_folders, project_folder

PR_SET_PDEATHSIG = 1
PATIENCE = 10.0
"""Seconds the servers get to stop by themselves."""


def serve(host: str, port: int, say: Callable[[str], None]) -> int:
    """Run webserver and daemon until Ctrl-C or SIGTERM, or until one of them stops; return the exit status.

    What they print goes to logs/dagster.log. say: tells people what happens.

    Raises AlreadyRunning where another process serves this data folder.
    """
    environment = os.environ | dagster_environment()
    workspace = ["--workspace", str(project_folder() / "workspace.yaml")]
    with only_runner() as lock:
        with open_instance() as instance:
            end_leftover_processes(data_folders())
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
        with data_folders().server_log.open("wb") as log:
            processes = [
                subprocess.Popen(
                    [sys.executable, "-m", *command],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    process_group=0,
                    pass_fds=[lock],
                    preexec_fn=_end_with_parent,
                )
                for command in commands
            ]
        try:
            while not stopping and all(process.poll() is None for process in processes):
                sleep(0.2)
            say("Stopping" if stopping else f"Dagster stopped by itself; see {data_folders().server_log}")
        finally:
            _stop(processes)
    return 0 if stopping else 1


def _end_with_parent() -> None:
    """In a child: be told to stop (SIGTERM) when the parent dies, even by SIGKILL. Linux only, see prctl(2)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask the servers to stop, then end what they started: the next page would start a run that goes on once more."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    deadline = monotonic() + PATIENCE
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - monotonic()))
    end_leftover_processes(data_folders())
    for process in processes:
        process.wait()
