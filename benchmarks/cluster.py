"""How well a cluster's workers are used: ``python -m benchmarks.cluster [WORKERS] [CLIPS] [SECONDS]``.

Real Dagster, PostgreSQL, Redis, controller and workers, all on this machine; only the engine is made up: it takes
SECONDS (10) for a clip, in which it waits as for a graphics card, and leaves the presenter as it is. Used is what the
WORKERS (8) are meant for: the engine's seconds, of all seconds from the first clip's beginning to the last one's end.
The processor time that runs cost is shared by all of them on this one machine.
"""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from time import sleep

import dagster as dg
import psutil

from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.cluster_queues import WORKER_TAG
from heygem_pipeline.runs.cluster_workers import Workers, WorkerState
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.stages import Stage, subject_of
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.folders import DataFolders, data_folders
from heygem_pipeline_tests.conftest import free_port, swaying_presenter, write_video, write_voice
from heygem_pipeline_tests.postgres_server import postgres_server
from heygem_pipeline_tests.redis_server import redis_server

WORKERS, CLIPS, SECONDS = 8, 120, 10
PRESENTERS = 10
LONGEST = 3600.0

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
        processes = [up, start(folder, "worker", "--queue", "cpu")]
        processes += [start(folder, "worker", "--queue", "gpu", "--device", str(number)) for number in range(workers)]
        for process in processes[1:]:
            stack.callback(process.kill)
        known = Workers(folders.database)
        wait_for(lambda: sum(worker.state is WorkerState.READY for worker in known.all()) == workers + 1)
        with open_instance(folders) as instance:
            wait_for(lambda: plan(instance, folders, settings()).counts == {State.DONE: clips}, 2.0)
            tell(instance, workers, clips, seconds, load)


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
    pauses = [after[0] - before[1] for times in made.values() for before, after in pairwise(sorted(times))]
    print(f"{clips} clips of {seconds} s on {workers} workers, {os.cpu_count()} cores, load before: {load:.1f}")
    print(f"runs: {len(runs)} on {len(made)} workers, in {lasted:.0f} s; used {clips * seconds / workers / lasted:.0%}")
    print(f"a run {median(end - start for start, end in runs):.1f} s, then {median(pauses):.1f} s to the next (median)")


if __name__ == "__main__":
    main()
