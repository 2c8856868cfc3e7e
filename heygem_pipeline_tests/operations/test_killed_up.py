"""What ``heygem up`` does when it, or what it started, ends: with stand-ins for Dagster and the Studio."""

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from heygem_pipeline.operations import servers
from heygem_pipeline.operations.stop_signals import StopSignals
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.served import wait_for

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


def serve(
    folders: DataFolders,
    monkeypatch: pytest.MonkeyPatch,
    daemon: str,
    studio: str,
    recover: Callable[[DataFolders], None] = lambda _: None,
) -> tuple[int, list[str]]:
    said: list[str] = []
    monkeypatch.setattr(servers, "recover", recover)
    monkeypatch.setattr(servers, "_webserver_command", lambda *_: SLEEPER)
    monkeypatch.setattr(servers, "_daemon_command", lambda: [sys.executable, "-c", daemon])
    monkeypatch.setattr(servers, "_studio_command", lambda *_: [sys.executable, "-c", studio])
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return servers.serve(folders, "127.0.0.1", 1, "", 2, said.append, StopSignals()), said
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_dead_studio_is_started_again_and_the_daemons_end_says_what_to_do(
    data: DataFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "STUDIO_PAUSES", (0.01, 0.1))
    starts = tmp_path / "starts"
    studio = f"open({str(starts)!r}, 'a').write('x')"
    daemon = f"""import pathlib, time
starts = pathlib.Path({str(starts)!r})
while not starts.exists() or len(starts.read_text()) < 3: time.sleep(0.05)"""
    status, said = serve(data, monkeypatch, daemon, studio)
    assert status == 1
    assert "Studio page stopped by itself" in said[0] and "started again" in said[0]
    assert "Dagster's daemon stopped by itself" in said[-1] and "run make up again" in said[-1]


def test_an_interrupt_while_it_starts_is_not_lost_where_an_import_swallows_it(
    data: DataFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: DataFolders) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    started = tmp_path / "started"
    status, said = serve(data, monkeypatch, f"open({str(started)!r}, 'w')", "", interrupted)
    assert (status, said, started.exists()) == (0, [], False)


UP = """
import subprocess, sys
from pathlib import Path
from heygem_pipeline.operations import servers
from heygem_pipeline.operations.stop_signals import StopSignals
from heygem_pipeline.storage.paths import DataFolders
sleeping = "import time; time.sleep(600)"
run = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {sleeping!r}, 'dagster run']);"
parent = run + sleeping
servers.recover = lambda _: None
servers._webserver_command = lambda *_: [sys.executable, "-c", sleeping, "dagster page"]
servers._daemon_command = lambda: [sys.executable, "-c", parent, "dagster daemon"]
servers._studio_command = lambda *_: [sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)", "studio"]
servers.serve(DataFolders(Path(sys.argv[1])), "127.0.0.1", 1, "", 2, print, StopSignals())
"""


@pytest.mark.server
def test_a_killed_up_takes_along_all_that_it_started(data: DataFolders) -> None:
    up = subprocess.Popen([sys.executable, "-c", UP, str(data.root)])
    below: list[psutil.Process] = []

    def all_started() -> bool:
        below[:] = psutil.Process(up.pid).children(recursive=True)
        named = {part for process in below for part in process.cmdline()}
        return {"dagster page", "dagster daemon", "dagster run", "studio"} <= named

    try:
        wait_for(all_started, 60, 0.1)
        up.kill()
        up.wait()
        assert psutil.wait_procs(below, timeout=30)[1] == []
    finally:
        up.kill()
        for process in below:
            if process.is_running():
                process.kill()
