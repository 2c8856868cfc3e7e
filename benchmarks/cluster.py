"""How well a cluster's workers are used: ``python -m benchmarks.cluster [WORKERS] [CLIPS] [SECONDS]``.

Real Dagster, PostgreSQL, Redis, controller and workers, all on this machine; only the engine is made up: it takes
SECONDS (10) for a clip, in which it waits as for a graphics card, and leaves the presenter as it is. Used is what the
WORKERS (8) are meant for: the engine's seconds, of all seconds from the first clip's beginning to the last one's end.

All of them share the processor of this one machine, which elsewhere each has for itself. So the processor seconds of
each part are counted too: what the cluster costs a second while nothing is made, and what a clip costs besides. They
say which length of clips so many workers need. Workers that draw begin when all uploads are analysed.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from operator import itemgetter
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from time import monotonic, sleep

import dagster as dg
import psutil

from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.cluster_queues import WORKER_TAG
from heygem_pipeline.runs.cluster_workers import Workers, WorkerState
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.stages import Stage, subject_of
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline_tests.conftest import free_port, swaying_presenter, write_video, write_voice
from heygem_pipeline_tests.postgres_server import postgres_server
from heygem_pipeline_tests.redis_server import redis_server

WORKERS, CLIPS, SECONDS = 8, 120, 10
PRESENTERS = 10
LONGEST = 3600.0
SECONDS_IDLE = 30.0

Costs = dict[str, float]
"""Part -> seconds of one core."""

WORKER, RUN = "worker", "its run"
OF_A_CLIP = WORKER, RUN
"""Parts of the machine that draws; all others are the controller's."""

PARTS = {
    "cli.dagster_daemon": "daemon",
    "grpc": "code server",
    "forkserver": "code server",
    "cli.dagster_webserver": "Dagster's page",
    "cluster_watch": "watch",
    "controller_lock": "watch",
    "postgres": "PostgreSQL",
    "redis-server": "Redis",
}
"""What stands in a command -> which part it is, also with all that it starts and has no line of its own."""

ENGINE = """
from time import sleep
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.media.timeline import ping_pong

class Waiting:
    name, version, device = "waiting", "1", ""

    def generate(self, speech, template, tracks, template_speech=None):
        sleep({seconds})
        for frame in range(speech.frame_count(tracks.frame_rate)):
            yield MouthPatch(frame, ping_pong(frame, len(tracks)))

def engine_of(_settings):
    return Waiting()
"""


def main() -> None:
    """Run it, and print the figures."""
    workers, clips, seconds = (int(value) for value in (*sys.argv[1:], *(WORKERS, CLIPS, SECONDS)[len(sys.argv) - 1 :]))
    folder = Path(mkdtemp(prefix="cluster-"))
    install_engine(folder / "engine", seconds)
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server(free_port()))
        (folder / "redis").mkdir()
        broker = stack.enter_context(redis_server(free_port(), folder / "redis"))
        os.environ |= {
            "HEYGEM_DATABASE": postgres.create("cluster"),
            "HEYGEM_BROKER": broker.address,
            "HEYGEM_DATA": str(folder / "data"),
            "HEYGEM_ENGINE": "waiting",
            "HEYGEM_AUTOMATIC": "clips",
            "PYTHONPATH": os.pathsep.join([str(folder / "engine"), os.environ.get("PYTHONPATH", "")]),
            "OMP_NUM_THREADS": "1",
        }
        sys.path.insert(0, str(folder / "engine"))
        settings.cache_clear()
        folders = data_folders()
        folders.make()
        bring(folders, clips)
        load = os.getloadavg()[0]
        up = start(folder, "up", "--port", str(free_port()), "--studio-port", "0")
        stack.callback(up.kill)
        wait_for(lambda: (folders.state / "cluster-id").exists())
        analyst = start(folder, "worker", "--queue", "cpu")
        stack.callback(analyst.kill)
        known = Workers(folders.database)
        servers = [psutil.Process(number) for number in (up.pid, *server_processes())]
        with open_instance(folders) as instance:
            wait_for(lambda: all_analysed(instance, folders, clips), 2.0)
            before, began = processor_seconds(servers, []), monotonic()
            sleep(SECONDS_IDLE)
            idle = since(before, processor_seconds(servers, []), monotonic() - began)
            drawing = [start(folder, "worker", "--queue", "gpu", "--device", str(number)) for number in range(workers)]
            for process in drawing:
                stack.callback(process.kill)
            wait_for(lambda: sum(worker.state is WorkerState.READY for worker in known.all()) == workers + 1)
            before, began = processor_seconds(servers, drawing), monotonic()
            made_before = plan(instance, folders, settings()).counts[State.DONE]
            wait_for(lambda: plan(instance, folders, settings()).counts == {State.DONE: clips}, 2.0)
            took, lasted = since(before, processor_seconds(servers, drawing)), monotonic() - began
            tell(instance, workers, clips, seconds, load)
            tell_processor(took, idle, lasted, clips - made_before, workers)


def all_analysed(instance: dg.DagsterInstance, folders: DataFolders, clips: int) -> bool:
    """Does nothing more keep the clips from being made than that nobody is there to draw?"""
    counts = plan(instance, folders, settings()).counts
    return counts[State.READY] + counts[State.QUEUED] == clips


def server_processes() -> Iterator[int]:
    """PostgreSQL and Redis, as children of this process."""
    for process in psutil.Process().children():
        if any(name in process.name() for name in ("postgres", "redis-server")):
            yield process.pid


def processor_seconds(servers: Sequence[psutil.Process], drawing: Sequence[psutil.Process]) -> Costs:
    """Of each part, since it was started."""
    found: Costs = defaultdict(float)
    for process in servers:
        _add(process, "up", found)
    for process in drawing:
        own = process.cpu_times()
        found[WORKER] += own.user + own.system
        found[RUN] += own.children_user + own.children_system
        for child in process.children():
            _add(child, RUN, found, named=False)
    return found


def _add(process: psutil.Process, part: str, found: Costs, named: bool = True) -> None:
    """The process, and what it has started: what of that has ended is counted as the process's own."""
    with suppress(psutil.NoSuchProcess):
        if named:
            command = " ".join(process.cmdline()) or process.name()
            part = next((name for mark, name in PARTS.items() if mark in command), part)
        times = process.cpu_times()
        found[part] += times.user + times.system + times.children_user + times.children_system
        for child in process.children():
            _add(child, part, found, named)


def since(before: Costs, now: Costs, count: float = 1.0) -> Costs:
    """What each has used more, divided."""
    return {part: (value - before.get(part, 0.0)) / count for part, value in now.items()}


def install_engine(folder: Path, seconds: int) -> None:
    """A package with one engine, as pip leaves it."""
    known = folder / "waiting_engine-1.dist-info"
    known.mkdir(parents=True)
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: waiting-engine\nVersion: 1\n")
    (known / "entry_points.txt").write_text("[heygem_pipeline.engines]\nwaiting = waiting_engine:engine_of\n")
    (folder / "waiting_engine.py").write_text(ENGINE.format(seconds=seconds))


def bring(folders: DataFolders, clips: int) -> None:
    """Voices and presenters for so many clips."""
    write_video(folders.presenters / "0.mp4", swaying_presenter())
    for number in range(1, PRESENTERS):
        write_video(folders.presenters / f"{number}.mp4", swaying_presenter(12 + number))
    for number in range(clips // PRESENTERS):
        write_voice(folders.voices / f"{number}.wav", 0.8, 16_000 + number)


def start(folder: Path, *command: str) -> psutil.Popen:
    """One of the pipeline's commands as a process."""
    with (folder / f"{'-'.join(command)}.log").open("wb") as log:
        return psutil.Popen([sys.executable, "-m", "heygem_pipeline", *command], stdout=log, stderr=log)


def wait_for(reached: Callable[[], bool], every: float = 0.5) -> None:
    """Ask until it says so."""
    waited = 0.0
    while not reached():
        assert waited < LONGEST
        sleep(every)
        waited += every


def tell(instance: dg.DagsterInstance, workers: int, clips: int, seconds: int, load: float) -> None:
    """Print what the runs say."""
    made: dict[str, list[tuple[float, float]]] = {}
    for record in instance.get_run_records():
        subject = subject_of(record.dagster_run)
        if subject is not None and subject.stage is Stage.CLIP and record.start_time and record.end_time:
            made.setdefault(record.dagster_run.tags[WORKER_TAG], []).append((record.start_time, record.end_time))
    runs = [times for worker in made.values() for times in worker]
    lasted = max(end for _, end in runs) - min(start for start, _ in runs)
    print(f"{clips} clips of {seconds} s on {workers} workers, {os.cpu_count()} cores, load before: {load:.1f}")
    print(f"runs: {len(runs)} on {len(made)} workers, in {lasted:.0f} s; used {clips * seconds / workers / lasted:.0%}")
    print(f"a run {median(end - start for start, end in runs):.1f} s (median), waiting for its card included")


def tell_processor(took: Costs, idle: Costs, lasted: float, clips: int, workers: int) -> None:
    """Print what a second costs while nothing is made, and a clip besides, in seconds of one core."""
    print(f"processor: used {sum(took.values()) / lasted / (os.cpu_count() or 1):.0%} of all cores in {lasted:.0f} s")
    print(f"{'part':16}{'a second':>10}{'a clip':>10}")
    costs = {part: (value - idle.get(part, 0.0) * lasted) / clips for part, value in took.items()}
    for part, cost in sorted(costs.items(), key=itemgetter(1), reverse=True):
        print(f"{part:16}{idle.get(part, 0.0):10.3f}{cost:10.2f}")
    resting = sum(idle.values())
    clip = sum(cost for part, cost in costs.items() if part not in OF_A_CLIP)
    print(
        f"controller: {resting:.2f} of a core at rest, {clip:.2f} s a clip: one core begins {(1 - resting) / clip:.2f}"
    )
    print(f"clips a second, enough for {workers} workers from {workers * clip / (1 - resting):.0f} s a clip on")
    print(f"a worker: {costs[WORKER] + costs[RUN]:.2f} s a clip")


if __name__ == "__main__":
    main()
