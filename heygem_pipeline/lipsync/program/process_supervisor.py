"""Supervises a program and outlives nobody: when the pipeline closes its end of the pipe, or dies, it ends too.

Run as a process of its own, by path, with nothing but the standard library:
``python -I process_supervisor.py FOLDER_TO_REMOVE PROGRAM ARGUMENTS...``. Its exit status is the program's.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time

POLL_SECONDS = 0.05
SECONDS_TO_END = 3.0
"""Between asking a program to end and ending it."""


def main() -> int:
    """Run the program that the arguments name."""
    folder, *command = sys.argv[1:]
    # What the program starts itself belongs to its session, and ends with it.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    while (status := process.poll()) is None:
        if select.select([0], [], [], POLL_SECONDS)[0] and not os.read(0, 1):
            _end(process)
            shutil.rmtree(folder, ignore_errors=True)
            return 1
    # Whatever it left running would write into files that are read now.
    _signal(process, signal.SIGKILL)
    return status if status >= 0 else 128 - status


def _end(process: "subprocess.Popen[bytes]") -> None:
    _signal(process, signal.SIGTERM)
    until = time.monotonic() + SECONDS_TO_END
    while process.poll() is None and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


if __name__ == "__main__":
    sys.exit(main())
