"""Page and daemon as two services: ``heygem up --only ...``, started and stopped as the units in deploy/ do it."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import dagster as dg
import psutil
import pytest

from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import swaying_presenter, write_video
from heygem_pipeline_tests.dagster_page import Page
from heygem_pipeline_tests.served import quick_environment, runs_below, wait_for, wait_for_page

pytestmark = [pytest.mark.server, pytest.mark.long(minutes=1)]

TIMEOUT_STOP = 20
"""Seconds, as in the units."""

RUN = "from heygem_pipeline.cli.main import main; main()"


def start(service: str, log: Path, *options: str, **environment: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-c", RUN, "up", "--only", service, *options],
            stdout=file,
            stderr=file,
            env=quick_environment() | environment,
            start_new_session=True,
        )


def control_group(service: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """What systemd would find in the control group of the service."""
    try:
        main = psutil.Process(service.pid)
        return [main, *main.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def stop(service: subprocess.Popen[bytes]) -> None:
    """Stop as KillMode=control-group does: SIGTERM to every process at once, SIGKILL after TimeoutStopSec."""
    processes = control_group(service)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
    for process in psutil.wait_procs(processes, timeout=TIMEOUT_STOP)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    service.wait()


@contextmanager
def ending(*services: subprocess.Popen[bytes]) -> Iterator[None]:
    """Nothing of the services outlives the block."""
    try:
        yield
    finally:
        for service in services:
            for process in control_group(service):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            service.wait()


def wait_until_ready(manager: socket.socket) -> None:
    manager.settimeout(120)
    assert manager.recv(64) == b"READY=1"


def runs(instance: dg.DagsterInstance) -> list[dg.DagsterRunStatus]:
    return [run.status for run in instance.get_runs()]


def test_the_page_restarts_alone_and_a_run_ends_with_its_daemon(
    data: DataFolders,
    port: int,
    tmp_path: Path,
) -> None:
    write_video(data.presenters / "long.mp4", [frame[::2, ::2].copy() for frame in swaying_presenter(30)] * 60)
    log = tmp_path / "services.log"
    page_options = ("--port", str(port), "--path-prefix", "/dagster")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        daemon = start("daemon", log, NOTIFY_SOCKET=str(tmp_path / "notify"))
        with ending(daemon):
            wait_until_ready(manager)
            page = start("webserver", log, *page_options)
            with ending(page), open_instance(data) as instance:
                assert instance.get_dynamic_partitions("template") == ["long"], "uploads are taken in at the start"
                wait_for_page(port, page, "/dagster")
                Page(port, "/dagster").materialize(["face_tracks"], "long")
                wait_for(lambda: runs(instance) == [dg.DagsterRunStatus.STARTED])
                (run,) = runs_below(daemon)
                # In the middle of its work, for as long as the page takes.
                run.suspend()

                stop(page)
                assert daemon.poll() is None
                assert dg.DagsterRunStatus.FAILURE not in runs(instance), "the page's end is no run's end"
                page = start("webserver", log, *page_options)
            with ending(page), open_instance(data) as instance:
                wait_for_page(port, page, "/dagster")
                assert run.status() == psutil.STATUS_STOPPED
                second = start("daemon", log)
                assert second.wait(120) == 3
                assert "running already" in log.read_text()

                run.resume()
                stop(daemon)
                assert not run.is_running()
                assert not data.tracks("long").exists()

                daemon = start("daemon", log, NOTIFY_SOCKET=str(tmp_path / "notify"))
                with ending(daemon):
                    wait_until_ready(manager)
                    assert runs(instance)[-1] == dg.DagsterRunStatus.FAILURE
                    assert page.poll() is None, "recovery leaves the page of another service alone"
                    with urlopen(f"http://127.0.0.1:{port}/dagster/server_info", timeout=30) as answer:
                        assert answer.status == 200
                    stop(daemon)
                stop(page)


def test_the_daemon_recovers_what_a_power_cut_left(data: DataFolders, tmp_path: Path) -> None:
    half_written = data.root / "outputs" / ".writing-0123.mp4"
    half_written.write_bytes(b"half")
    with open_instance(data) as instance, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        take_in_uploads(instance, data)
        run = instance.create_run_for_job(interrupted)
        instance.report_dagster_event(
            dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="interrupted"), run_id=run.run_id
        )
        assert runs(instance) == [dg.DagsterRunStatus.STARTED]
        manager.bind(str(tmp_path / "notify"))
        daemon = start("daemon", tmp_path / "daemon.log", NOTIFY_SOCKET=str(tmp_path / "notify"))
        with ending(daemon):
            wait_until_ready(manager)
            assert runs(instance) == [dg.DagsterRunStatus.FAILURE]
            assert not half_written.exists()
            stop(daemon)


@dg.job
def interrupted() -> None:
    pass
