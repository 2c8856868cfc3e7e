"""The page and the daemon: started and stopped together, or each alone under a service manager."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO, NoReturn

from heygem_pipeline.operations.recovery import end_leftover_processes, recover
from heygem_pipeline.operations.stop_signals import StopSignals
from heygem_pipeline.runs.data_folder_lock import RunnerLock, is_in_place, only_runner
from heygem_pipeline.runs.instance import dagster_environment
from heygem_pipeline.runs.log_file import note
from heygem_pipeline.storage.paths import DataFolders, project_folder

PR_SET_PDEATHSIG = 1
ALL_ENDED = b"ended"
"""What the guard is told by an ``up`` that has ended all it started."""

STUDIO_PAUSES = (1.0, 60.0)
"""Seconds before a Studio that stopped is started again: at first, and at most; doubled while it stops at once."""

GUARD = f"""import sys
told = sys.stdin.buffer.read().split()
if {ALL_ENDED!r} not in told:
    from {__name__} import end_what_was_left
    end_what_was_left(sys.argv[1], told)
"""
"""It needs little memory while it waits."""

WATCH_COMMAND = [sys.executable, "-m", "heygem_pipeline.cli.cluster_watch"]
"""Of a cluster's controller only."""

LOCK_PROCESS = "HEYGEM_LOCK_KEEPER"
"""In the environment of a daemon that is alone: the process that keeps the cluster's lock for it."""

PATIENCE = 10.0
"""Seconds the servers get to stop by themselves."""


def serve(
    folders: DataFolders,
    host: str,
    port: int,
    path_prefix: str,
    studio_port: int,
    say: Callable[[str], None],
    stop_signals: StopSignals,
) -> int:
    """Run webserver and daemon until Ctrl-C or SIGTERM, or until one of them stops; return the exit status.

    Beside them the Studio page, unless its port is 0; when it stops, it is started again. What they print goes to
    logs/dagster.log.

    Also until the data folder is taken away. Raises AlreadyRunning where another process serves this data folder, or
    has got the cluster's lock meanwhile.

    Args:
        say: tells people what happens. Should this process be killed, a guard ends what it started.
    """
    environment = os.environ | dagster_environment(folders)
    environment.setdefault("HEYGEM_STUDIO_DAGSTER", f"http://{host}:{port}{path_prefix}")
    environment.setdefault("HEYGEM_STUDIO_ADDRESS", f"http://{host}:{studio_port}" if studio_port else "")
    with only_runner(folders) as lock:
        recover(folders)
        if stop_signals.received:
            return 0
        note(folders, f"Page and daemon start: http://{host}:{port}{path_prefix}", "up")
        commands = [_webserver_command(host, port, path_prefix), _daemon_command()]
        if folders.broker:
            commands.append(WATCH_COMMAND)
        # Process groups of their own, so that Ctrl-C reaches us first and each is asked to stop once.
        folders.server_log.unlink(missing_ok=True)
        # Appended to, so that retention may empty it while it is held open.
        with folders.server_log.open("ab") as log:
            processes = [
                subprocess.Popen(
                    command,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    process_group=0,
                    pass_fds=[lock.descriptor],
                    preexec_fn=_end_with_parent,
                )
                for command in commands
            ]
            guard = _start_guard(folders, lock, log)
            studio = _Studio(host, studio_port, environment, folders.server_log, say, guard) if studio_port else None
        try:
            while (
                not stop_signals.received
                and all(process.poll() is None for process in processes)
                and is_in_place(folders, lock)
            ):
                if studio is not None:
                    studio.keep_up()
                sleep(0.2)
            if not is_in_place(folders, lock):
                # Not a word more: Dagster would begin an empty history where the folder was.
                end_leftover_processes(folders, grace=0.0)
                say(f"The data folder {folders.root} is gone; put it back, then start again.")
                return 1
            ending = "Stopping" if stop_signals.received else _ending(processes, folders)
            say(ending)
            note(folders, ending, "up")
        finally:
            _stop(folders, processes if studio is None or studio.process is None else [*processes, studio.process])
            guard.communicate(ALL_ENDED)
    return 0 if stop_signals.received else 1


def become_webserver(folders: DataFolders, host: str, port: int, path_prefix: str) -> NoReturn:
    """Turn this process into the page alone. It starts no run, so it may be restarted while the daemon works."""
    environment = os.environ | dagster_environment(folders)
    os.execve(sys.executable, _webserver_command(host, port, path_prefix), environment)


def become_daemon(folders: DataFolders) -> NoReturn:
    """Turn this process into the daemon alone, after recovery, which leaves a page that is up alone.

    The data folder's lock stays with the process. A service manager (sd_notify(3)) hears that it is ready only after
    recovery: a page that is started then finds the databases made.

    Raises AlreadyRunning where another process serves this data folder.
    """
    with only_runner(folders) as lock:
        recover(folders, spare_page=True)
        note(folders, "The daemon starts.", "up")
        os.set_inheritable(lock.descriptor, True)
        _notify_ready()
        environment = os.environ | dagster_environment(folders)
        environment.pop("NOTIFY_SOCKET", None)
        if folders.broker:
            subprocess.Popen(WATCH_COMMAND, env=environment, preexec_fn=_end_with_parent)
        if lock.controller_lock is not None:
            environment[LOCK_PROCESS] = str(lock.controller_lock.process_id)
        os.execve(sys.executable, _daemon_command(), environment)


def _webserver_command(host: str, port: int, path_prefix: str) -> list[str]:
    command = [sys.executable, "-m", "heygem_pipeline.cli.dagster_webserver", "--host", host, "--port", str(port)]
    return [*command, "--path-prefix", path_prefix] if path_prefix else command


def _daemon_command() -> list[str]:
    return [sys.executable, "-m", "heygem_pipeline.cli.dagster_daemon", "run", *_workspace()]


def _ending(processes: Sequence[subprocess.Popen[bytes]], folders: DataFolders) -> str:
    parts = ("page", "daemon", "watch over the workers")
    which = next(
        (part for part, process in zip(parts, processes, strict=False) if process.poll() is not None), "daemon"
    )
    return f"Dagster's {which} stopped by itself (see {folders.server_log}); run make up again."


class _Studio:
    """The Studio page, started again whenever it stops."""

    def __init__(
        self,
        host: str,
        port: int,
        environment: Mapping[str, str],
        log: Path,
        say: Callable[[str], None],
        guard: subprocess.Popen[bytes],
    ) -> None:
        self._command = _studio_command(host, port)
        self._environment = environment
        self._log = log
        self._say = say
        self._guard = guard
        self._pause, self._next_start = STUDIO_PAUSES[0], 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def keep_up(self) -> None:
        """Start it where it does not run and it is time; to be called again and again."""
        if self.process is not None and self.process.poll() is not None:
            self.process = None
            ran = monotonic() - self._next_start
            self._pause = STUDIO_PAUSES[0] if ran > STUDIO_PAUSES[1] else min(2 * self._pause, STUDIO_PAUSES[1])
            self._say(f"The Studio page stopped by itself (see {self._log}); it is started again.")
            self._next_start = monotonic() + self._pause
        if self.process is None and monotonic() >= self._next_start:
            with self._log.open("ab") as log:
                self.process = _start_studio(self._command, self._environment, log)
            self._next_start = monotonic()
            if self._guard.stdin is not None:
                with suppress(BrokenPipeError):
                    self._guard.stdin.write(b"%d\n" % self.process.pid)
                    self._guard.stdin.flush()


def _start_guard(folders: DataFolders, lock: RunnerLock, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """A process that waits for the end of this one. Holding the lock, it is done before another ``up`` begins."""
    return subprocess.Popen(
        [sys.executable, "-c", GUARD, str(folders.root)],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        process_group=0,
        pass_fds=[lock.descriptor],
    )


def end_what_was_left(root: str, studios: Sequence[bytes]) -> None:
    """End what a killed ``heygem up`` has left.

    Args:
        studios: the process ids of those it started.
    """
    import psutil

    end_leftover_processes(DataFolders(Path(root)))
    for number in studios:
        # Whoever has its number now may be another.
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(number))
            if "studio" in process.cmdline():
                process.kill()


def _studio_command(host: str, port: int) -> list[str]:
    return [sys.executable, "-m", "heygem_pipeline", "studio", "--host", host, "--port", str(port)]


def _start_studio(command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """It works on no run, so it does not hold the lock."""
    return subprocess.Popen(
        command,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment,
        process_group=0,
        preexec_fn=_end_with_parent,
    )


def _workspace() -> list[str]:
    return ["--workspace", str(project_folder() / "workspace.yaml")]


def _notify_ready() -> None:
    """Tell systemd that the start is done, where it asks to be told (Type=notify)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.connect("\0" + address[1:] if address.startswith("@") else address)
            manager.send(b"READY=1")


def _end_with_parent() -> None:
    """In a child: be told to stop (SIGTERM) when the parent dies, even by SIGKILL. Linux only, see prctl(2)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(folders: DataFolders, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask the servers to stop, then end what they started: the next page would start a run that goes on once more."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    deadline = monotonic() + PATIENCE
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - monotonic()))
    end_leftover_processes(folders)
    for process in processes:
        process.wait()
