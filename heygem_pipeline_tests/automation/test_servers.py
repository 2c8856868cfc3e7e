"""Page and daemon, as ``heygem up`` starts and stops them."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil
import pytest

from heygem_pipeline.automation.instance import open_instance
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline_tests.conftest import swaying_presenter, write_video


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


LAUNCH = "mutation($run: ExecutionParams!) { launchRun(executionParams: $run) { __typename } }"
LOCATION = {"repositoryLocationName": "heygem_pipeline.definitions", "repositoryName": "__repository__"}


def launch_ingest(port: int) -> None:
    """Do what the page's button "Launch Run" of the job does."""
    launch(port, {"selector": LOCATION | {"jobName": "ingest"}, "runConfigData": {}})


def launch_tracking(port: int, template: str, path_prefix: str = "") -> None:
    """Do what the page does to materialize one partition of face_tracks."""
    selector = LOCATION | {"jobName": "__ASSET_JOB", "assetSelection": [{"path": ["face_tracks"]}]}
    tags = [{"key": "dagster/partition", "value": template}]
    launch(port, {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}}, path_prefix)


def launch(port: int, run: dict[str, object], path_prefix: str = "") -> None:
    body = json.dumps({"query": LAUNCH, "variables": {"run": run}}).encode()
    request = Request(f"http://127.0.0.1:{port}{path_prefix}/graphql", body, {"content-type": "application/json"})
    with urlopen(request, timeout=60) as answer:
        assert json.load(answer)["data"]["launchRun"]["__typename"] == "LaunchRunSuccess"


def start(port: int, output: Path) -> subprocess.Popen[bytes]:
    code = f"import sys; sys.argv = ['heygem', 'up', '--port', '{port}']; from heygem_pipeline.cli import main; main()"
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-c", code], stdout=file, stderr=file, env=os.environ.copy(), start_new_session=True
        )


def wait_for_page(port: int, up: subprocess.Popen[bytes], path_prefix: str = "") -> dict[str, str]:
    deadline = monotonic() + 120
    while True:
        assert up.poll() is None and monotonic() < deadline
        try:
            with urlopen(f"http://127.0.0.1:{port}{path_prefix}/server_info", timeout=5) as answer:
                return json.load(answer)
        except (URLError, ConnectionError, TimeoutError):
            sleep(0.3)


def test_the_page_comes_up_and_one_interrupt_stops_everything(data: DataFolders, port: int, tmp_path: Path) -> None:
    with serving(port, tmp_path / "up.log") as (up, children):
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
        assert psutil.wait_procs(children, timeout=20)[1] == []


def test_one_click_takes_uploads_in_and_all_state_stays_in_the_data_folder(
    data: DataFolders, port: int, tmp_path: Path
) -> None:
    with serving(port, tmp_path / "up.log"):
        (data.voices / "第一课.wav").write_bytes(b"sound")
        launch_ingest(port)
        with open_instance() as instance:
            deadline = monotonic() + 60
            while "第一课" not in instance.get_dynamic_partitions("audio"):
                assert monotonic() < deadline
                sleep(0.3)
            assert [run.job_name for run in instance.get_runs()] == ["ingest"]


def test_an_interrupt_ends_a_run_in_the_middle(data: DataFolders, port: int, tmp_path: Path) -> None:
    write_video(data.presenters / "long.mp4", swaying_presenter(30) * 40)
    with serving(port, tmp_path / "up.log") as (up, _):
        launch_tracking(port, "long")
        children = wait_for_run(up)
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0, (tmp_path / "up.log").read_text()
        assert psutil.wait_procs(children, timeout=1)[1] == []
    assert not data.tracks("long").exists()


RUN_COMMAND = "multiprocessing.spawn"
"""Dagster's code server starts each run as such a process."""


def wait_for_run(up: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """All processes below ``up``, as soon as one of them works on a run."""
    deadline = monotonic() + 60
    while True:
        assert monotonic() < deadline
        children = psutil.Process(up.pid).children(recursive=True)
        if any(RUN_COMMAND in part for child in children for part in command_of(child)):
            sleep(2)
            return children
        sleep(0.1)


def command_of(process: psutil.Process) -> list[str]:
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def test_a_killed_server_leaves_no_other_behind(data: DataFolders, port: int, tmp_path: Path) -> None:
    with serving(port, tmp_path / "up.log") as (up, children):
        up.kill()
        up.wait()
        assert psutil.wait_procs(children, timeout=60)[1] == []


@contextmanager
def serving(port: int, output: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """Serve a page that answers; nothing of it outlives the block."""
    up = start(port, output)
    children: list[psutil.Process] = []
    try:
        assert "dagster_version" in wait_for_page(port, up)
        children = psutil.Process(up.pid).children(recursive=True)
        assert len(children) >= 2
        yield up, children
    finally:
        for process in [*children, psutil.Process(up.pid)] if up.poll() is None else children:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        up.wait()
