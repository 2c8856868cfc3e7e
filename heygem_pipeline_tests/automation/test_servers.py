"""Page and daemon, as ``heygem up`` starts and stops them."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from heygem_pipeline.storage.folders import DataFolders


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(port: int, output: Path) -> subprocess.Popen[bytes]:
    code = f"import sys; sys.argv = ['heygem', 'up', '--port', '{port}']; from heygem_pipeline.cli import main; main()"
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-c", code], stdout=file, stderr=file, env=os.environ.copy(), start_new_session=True
        )


def wait_for_page(port: int, up: subprocess.Popen[bytes]) -> dict[str, str]:
    deadline = monotonic() + 120
    while True:
        assert up.poll() is None and monotonic() < deadline
        try:
            with urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as answer:
                return json.load(answer)
        except (URLError, ConnectionError, TimeoutError):
            sleep(0.3)


def test_the_page_comes_up_and_one_interrupt_stops_everything(data: DataFolders, port: int, tmp_path: Path) -> None:
    up = start(port, tmp_path / "up.log")
    try:
        assert "dagster_version" in wait_for_page(port, up)
        children = psutil.Process(up.pid).children(recursive=True)
        assert len(children) >= 2
        second = subprocess.run(
            [sys.executable, "-c", "from heygem_pipeline.cli import main; main()", "up"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert second.returncode == 1 and "running already" in second.stderr
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0, (tmp_path / "up.log").read_text()
        _, alive = psutil.wait_procs(children, timeout=20)
        assert alive == []
    finally:
        if up.poll() is None:
            for process in [*psutil.Process(up.pid).children(recursive=True), up]:
                process.kill()
            up.wait()
