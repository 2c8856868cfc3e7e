"""``heygem up`` as a process: started, watched, killed, started again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import dagster as dg
import psutil

from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import DataFolders

PATIENCE = 600.0
"""Seconds; generous for machines that have other work."""

QUICK_DAEMON = Path(__file__).with_name("quick_daemon")
"""On PYTHONPATH it makes Dagster's daemon look more often."""

RUN_COMMAND = "multiprocessing.forkserver"
"""A code server has such a process from its first run on; each run is a fork of it."""


def start(port: int, output: Path, studio_port: int = 0) -> subprocess.Popen[bytes]:
    command = ["heygem", "up", "--port", str(port), "--studio-port", str(studio_port)]
    code = f"import sys; sys.argv = {command}; from heygem_pipeline.cli.main import main; main()"
    with output.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-c", code], stdout=file, stderr=file, env=quick_environment(), start_new_session=True
        )


def quick_environment() -> dict[str, str]:
    """The environment of a pipeline whose daemon looks often."""
    path = os.pathsep.join([str(QUICK_DAEMON), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path}


def wait_for_page(port: int, up: subprocess.Popen[bytes], path_prefix: str = "") -> dict[str, str]:
    deadline = monotonic() + 120
    while True:
        assert up.poll() is None and monotonic() < deadline
        try:
            with urlopen(f"http://127.0.0.1:{port}{path_prefix}/server_info", timeout=5) as answer:
                return json.load(answer)
        except (URLError, ConnectionError, TimeoutError):
            sleep(0.3)


@contextmanager
def serving(port: int, output: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """Serve a page that answers; nothing of it outlives the block."""
    up = start(port, output)
    children: list[psutil.Process] = []
    try:
        assert "dagster_version" in wait_for_page(port, up)
        children = everything_below(up)
        assert len(children) >= 2
        yield up, children
    finally:
        cut_the_power(up, children)


def everything_below(up: subprocess.Popen[bytes]) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(up.pid).children(recursive=True)
    return []


def cut_the_power(up: subprocess.Popen[bytes], orphans: list[psutil.Process] | None = None) -> None:
    """End ``up`` and all that it started at one moment: frozen first, so that nobody sees another one end."""
    frozen: set[psutil.Process] = set()
    if up.poll() is None:
        up.send_signal(signal.SIGSTOP)
    while new := {*(orphans or ()), *everything_below(up)} - frozen:
        for process in new:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        frozen |= new
    for process in frozen:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    up.kill()
    up.wait()
    assert psutil.wait_procs(frozen, timeout=10)[1] == []


def command_of(process: psutil.Process) -> list[str]:
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def children_of(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children()
    return []


def runs_below(up: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes that work on a run."""
    forking = [process for process in everything_below(up) if any(RUN_COMMAND in part for part in command_of(process))]
    below = {child for process in forking for child in children_of(process)}
    return [process for process in forking if process in below]


def wait_for(reached: Callable[[], bool], seconds: float = PATIENCE, every: float = 0.2) -> None:
    deadline = monotonic() + seconds
    while not reached():
        assert monotonic() < deadline, f"not reached within {seconds} s"
        sleep(every)


def wait_until(
    instance: dg.DagsterInstance, folders: DataFolders, reached: Callable[[Plan], bool], seconds: float = PATIENCE
) -> Plan:
    """Ask the planner until it says so."""
    deadline = monotonic() + seconds
    while not reached(found := plan(instance, folders, settings())):
        assert monotonic() < deadline, found
        sleep(1)
    return found
