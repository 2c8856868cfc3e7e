"""A program does not outlive the pipeline that started it, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from heygem_pipeline.lipsync.program import process_supervisor

SLEEPER = """
import os, subprocess, time
subprocess.Popen(["sleep", "600"])
print(os.getpid(), flush=True)
time.sleep(600)
"""
PIPELINE = """
import subprocess, sys, time
from pathlib import Path
kept = subprocess.Popen([sys.executable, "-I", sys.argv[1], sys.argv[2], sys.executable, "-c", sys.argv[3]],
                        stdin=subprocess.PIPE, process_group=0)
print(kept.pid, flush=True)
time.sleep(600)
"""


def wait_for(gone: set[int]) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until and any(map(psutil.pid_exists, gone)):
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, gone))


def test_a_killed_pipeline_takes_the_program_and_its_folder_along(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "presenter.mp4").touch()
    command = [sys.executable, "-c", PIPELINE, str(process_supervisor.__file__), str(work), SLEEPER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pipeline:
        assert pipeline.stdout is not None
        kept = int(pipeline.stdout.readline())
        program = int(pipeline.stdout.readline())
        started = {kept, program, *(child.pid for child in psutil.Process(program).children())}
        assert len(started) == 3
        os.kill(pipeline.pid, signal.SIGKILL)
    wait_for(started)
    assert not work.exists()


def test_its_exit_status_is_the_programs(tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(process_supervisor.__file__), str(tmp_path), "sh", "-c"]
    for end, status in (("exit 7", 7), ("kill -9 $$", 137)):
        with subprocess.Popen([*command, end], stdin=subprocess.PIPE) as kept:
            assert kept.wait(20) == status
    assert tmp_path.exists()
