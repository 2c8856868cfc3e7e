"""Page and daemon, as ``heygem up`` starts and stops them."""

import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import psutil
import pytest

from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import swaying_presenter, write_video
from heygem_pipeline_tests.dagster_page import Page
from heygem_pipeline_tests.served import everything_below, runs_below, serving, wait_for

pytestmark = pytest.mark.server


def test_one_interrupt_stops_everything_in_a_new_folder_and_a_run_in_the_middle(
    new_data: DataFolders, port: int, tmp_path: Path
) -> None:
    write_video(new_data.presenters / "long.mp4", [frame[::2, ::2].copy() for frame in swaying_presenter()] * 100)
    with serving(port, tmp_path / "up.log") as (up, _):
        assert addresses_listened_on(up) == ["127.0.0.1"], "nobody said that other machines may come in"
        second = subprocess.run(
            [sys.executable, "-c", "from heygem_pipeline.cli.main import main; main()", "up"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert second.returncode == 3 and "running already" in second.stderr
        Page(port).materialize(["face_tracks"], "long")
        children = wait_for_run(up)
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0, (tmp_path / "up.log").read_text()
        assert psutil.wait_procs(children, timeout=1)[1] == []
    assert not new_data.tracks("long").exists()


def addresses_listened_on(up: subprocess.Popen[bytes]) -> list[str]:
    connections = [
        connection
        for process in [psutil.Process(up.pid), *everything_below(up)]
        for connection in process.net_connections("inet")
    ]
    return [connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN]


def wait_for_run(up: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """All processes below ``up``, as soon as one of them works on a run."""
    wait_for(lambda: bool(runs_below(up)), 60)
    sleep(2)
    return everything_below(up)


def test_one_click_takes_uploads_in_all_state_is_in_the_data_folder_and_a_killed_server_leaves_no_other_behind(
    data: DataFolders, port: int, tmp_path: Path
) -> None:
    with serving(port, tmp_path / "up.log") as (up, children):
        (data.voices / "第一课.wav").write_bytes(b"sound")
        Page(port).launch_job("ingest")
        with open_instance(data) as instance:
            wait_for(lambda: "第一课" in instance.get_dynamic_partitions("audio"))
            assert [run.job_name for run in instance.get_runs()] == ["ingest"]
        up.kill()
        up.wait()
        assert psutil.wait_procs(children, timeout=60)[1] == []
