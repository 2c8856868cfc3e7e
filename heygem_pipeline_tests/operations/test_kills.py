"""Twenty processes are killed while sixteen clips are made; nothing is lost."""

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import monotonic, sleep
from zipfile import ZipFile

import av
import dagster as dg
import psutil
import pytest
from dagster import DagsterRunStatus, RunsFilter

from heygem_pipeline.operations.recovery import ALIVE, recover
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.data_folder_lock import only_runner
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.stages import Subject, subject_of
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests import trace
from heygem_pipeline_tests.conftest import PRESENTER_RATE, write_voice
from heygem_pipeline_tests.served import (
    command_of,
    cut_the_power,
    everything_below,
    runs_below,
    start,
    wait_for,
    wait_until,
)

pytestmark = [pytest.mark.server, pytest.mark.long(minutes=5)]

VOICES, PRESENTERS = 4, 4
SUBJECTS = VOICES + PRESENTERS + VOICES * PRESENTERS + VOICES
"""What is made, each by a run: features, tracks, clips, ZIPs. The moments of the kills are spread over all of them."""

SECONDS = 1.0
"""Length of a voice; a clip of it takes a run of some four seconds."""

LONGEST_WAIT = 3.0
"""Seconds from a run's being at work to the next kill."""

ENDED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
SERVERS = {"daemon": "heygem_pipeline.cli.dagster_daemon", "webserver": "heygem_pipeline.cli.dagster_webserver"}
KILLS = [*["run"] * 12, *["daemon"] * 3, *["webserver"] * 2, *["everything"] * 3]
"""What is killed; a run is what dies most often. "everything" is a power cut."""


class Onlooker(Thread):
    """Opens every file in the outputs the moment it is there, as somebody does who takes the clips away."""

    def __init__(self, folders: DataFolders) -> None:
        super().__init__(daemon=True)
        self.broken: list[str] = []
        self._outputs = folders.root / "outputs"
        self._seen: set[tuple[Path, int, int]] = set()
        self._over = Event()

    def run(self) -> None:
        while not self._over.wait(0.05):
            for path in [*self._outputs.glob("*/*.mp4"), *self._outputs.glob("*.zip")]:
                if path.name.startswith(TEMPORARY_PREFIX):
                    continue
                status = path.stat()
                version = path, status.st_ino, status.st_mtime_ns
                if version not in self._seen:
                    self._seen.add(version)
                    self.broken += what_is_wrong(path)

    def stop(self) -> list[str]:
        self._over.set()
        self.join()
        return self.broken


def what_is_wrong(path: Path) -> list[str]:
    try:
        if path.suffix == ".zip":
            with ZipFile(path) as archive:
                bad = archive.testzip()
            return [f"{path.name}: {bad}"] if bad else []
        with av.open(str(path)) as clip:
            frames = sum(1 for _ in clip.decode(video=0))
        with av.open(str(path)) as clip:
            sound = sum(Fraction(frame.samples, frame.sample_rate) for frame in clip.decode(audio=0))
    except Exception as error:
        return [f"{path.name}: {error}"]
    is_whole = frames == round(SECONDS * PRESENTER_RATE) and abs(float(sound) - SECONDS) < 0.1
    return [] if is_whole else [f"{path.name}: {frames} frames, {float(sound):.3f} s of sound"]


def made(found: Plan) -> int:
    """How many of SUBJECTS."""
    statuses = (*found.voices.values(), *found.presenters.values(), *found.clips.values(), *found.deliveries.values())
    return sum(status.state is State.DONE for status in statuses)


class Killer:
    """Kills in random order, but never three times a run of one subject: that would be a reason to give it up."""

    def __init__(self, random: Random, instance: dg.DagsterInstance) -> None:
        self._random = random
        self._instance = instance
        self._left = random.sample(KILLS, len(KILLS))
        self._killed: Counter[Subject] = Counter()

    def kill(self, up: subprocess.Popen[bytes], runs_are_over: bool) -> str | None:
        """Return what was killed; None where there was no such process at this moment."""
        servers = [part for part in self._left if part != "run"] or [*SERVERS]
        part = self._random.choice(servers) if runs_are_over else self._left[0]
        victim = self._kill(part, up)
        if victim is not None:
            self._left.remove(part if part in self._left else "run")
        return victim

    def _kill(self, part: str, up: subprocess.Popen[bytes]) -> str | None:
        if part == "everything":
            cut_the_power(up)
        elif part == "run":
            working = {process: subject for process, subject in self._at_work(up).items() if self._killed[subject] < 2}
            if not working:
                return None
            victim = self._random.choice(sorted(working, key=lambda process: process.pid))
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                return None  # it has just ended by itself
            self._killed[working[victim]] += 1
            return f"the run of {working[victim].key}"
        else:
            servers = [process for process in everything_below(up) if SERVERS[part] in command_of(process)]
            if not servers:
                return None
            servers[0].kill()
        return part

    def _at_work(self, up: subprocess.Popen[bytes]) -> dict[psutil.Process, Subject]:
        """The runs' processes, as far as they have said already which they are."""
        processes = {process.pid: process for process in runs_below(up)}
        working = {}
        for run in self._instance.get_runs(RunsFilter(statuses=ALIVE)):
            subject = subject_of(run)
            said = " ".join(
                r.event_log_entry.user_message for r in self._instance.get_records_for_run(run.run_id).records
            )
            told = re.search(r"Executing steps in process \(pid: (\d+)\)", said)
            if subject is not None and told and int(told[1]) in processes:
                working[processes[int(told[1])]] = subject
        return working


@pytest.mark.parametrize("seed", [int(os.environ.get("HEYGEM_TEST_SEED", "20"))])
def test_twenty_kills_lose_nothing(
    data: DataFolders, material: Path, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setenv("HEYGEM_AUTOMATIC", "clips")
    for number in range(PRESENTERS):
        shutil.copy(material / "presenter.mp4", data.presenters / f"presenter {number}.mp4")
    for number in range(VOICES):
        write_voice(data.voices / f"voice {number}.wav", SECONDS, 16_000 + number)
    random, log, began = Random(seed), tmp_path / "up.log", monotonic()
    onlooker = Onlooker(data)
    onlooker.start()
    up = start(port, log)
    try:
        with open_instance(data) as instance:
            killer = Killer(random, instance)
            for progress in sorted(random.uniform(0, SUBJECTS) for _ in KILLS):
                wait_for(lambda progress=progress: made(plan(instance, data, settings())) >= int(progress), every=1)
                # After the last clip only the servers are left to be killed.
                wait_for(
                    lambda: (
                        bool(instance.get_run_ids(RunsFilter(statuses=ALIVE)))
                        or made(plan(instance, data, settings())) == SUBJECTS
                    )
                )
                sleep(random.uniform(0, LONGEST_WAIT))
                while (victim := killer.kill(up, made(plan(instance, data, settings())) == SUBJECTS)) is None:
                    sleep(0.2)
                print(
                    f"{monotonic() - began:.1f} s: killed {victim}; {made(plan(instance, data, settings()))} are made"
                )
                if victim in (*SERVERS, "everything"):
                    below = everything_below(up)
                    up.wait(60)
                    assert psutil.wait_procs(below, timeout=5)[1] == [], "what a server started outlived it"
                    up = start(port, log)
            print(f"{monotonic() - began:.1f} s: the last kill of seed {seed}")
            wait_until(instance, data, lambda found: made(found) == SUBJECTS)
            wait_for(lambda: all(run.status in ENDED for run in instance.get_runs()), 60)
            print(f"{monotonic() - began:.1f} s: all is made")
            wait_for(lambda: instance.event_log_storage.get_concurrency_info("gpu").claimed_slots == [], 60)
            up.send_signal(signal.SIGINT)
            up.wait(60)
            drawn, encoded = (trace.steps(instance, name) for name in ("generated_frames", "encoded_video"))
            assert trace.overlapping(drawn) == []
            assert any(one.overlaps(other) for one in drawn for other in encoded if one.subject != other.subject), (
                "encoding goes on while another clip is drawn"
            )
            by_subject: dict[Subject, list[trace.Work]] = {}
            for work in trace.runs(instance):
                by_subject.setdefault(work.subject, []).append(work)
            assert [pair for works in by_subject.values() for pair in trace.overlapping(works)] == []
    finally:
        cut_the_power(up)
        broken = onlooker.stop()
    assert broken == []
    # What the last kill left half-written goes at the next start.
    there = sorted((data.root / "outputs").glob("*/*.mp4"))
    clips = [clip for clip in there if not clip.name.startswith(TEMPORARY_PREFIX)]
    assert len(clips) == VOICES * PRESENTERS
    assert [wrong for clip in clips for wrong in what_is_wrong(clip)] == []
    for number in range(VOICES):
        with ZipFile(data.delivery(f"voice {number}")) as archive:
            assert sum(name.endswith(".mp4") for name in archive.namelist()) == PRESENTERS
    with only_runner(data):
        recover(data)
    assert list(data.root.rglob(f"{TEMPORARY_PREFIX}*")) == []
