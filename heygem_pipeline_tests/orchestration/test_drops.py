"""Files that come while page and daemon run: one, one that grows, five hundred; and a campaign whose time comes."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import dagster as dg
import pytest

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.settling import FILES_A_LOOK
from heygem_pipeline_tests.conftest import data_folder_at, free_port, write_voice
from heygem_pipeline_tests.dagster_page import Page
from heygem_pipeline_tests.served import serving, wait_for

pytestmark = [pytest.mark.server, pytest.mark.long(minutes=1.5)]

FILES = 500
LIMIT = 60.0
"""Seconds Dagster gives a sensor."""


class Upload(Thread):
    """A file that is written slowly, over a line."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._over = Event()

    def run(self) -> None:
        with self._path.open("wb") as file:
            while not self._over.wait(0.5):
                file.write(b"sound")
                file.flush()

    def complete(self) -> None:
        self._over.set()
        self.join()


@dataclass(frozen=True)
class Pipeline:
    """Page and daemon at work, and a campaign whose time comes every minute."""

    folders: DataFolders
    instance: dg.DagsterInstance
    page: Page


@pytest.fixture(scope="module")
def pipeline(material: Path, databases: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One for both tests: while files are taken in, the campaign's time comes."""
    port, folder = free_port(), tmp_path_factory.mktemp("pipeline")
    with data_folder_at(folder / "data") as data:
        shutil.copytree(databases, data.state, dirs_exist_ok=True)
        shutil.copy(material / "presenter.mp4", data.presenters / "anna.mp4")
        write_voice(data.voices / "talk.wav", 1.0)
        (data.campaigns / "autumn.yaml").write_text(
            'title: Autumn\nvoices: talk\npresenters: anna\nschedule: "* * * * *"\n'
        )
        with open_instance(data) as instance:
            take_in_uploads(instance, data)
            materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(data, settings()))
            assert materializer.run(["audio_features"], "talk") is None
            assert materializer.run(["face_tracks"], "anna") is None
            with serving(port, folder / "up.log"):
                yield Pipeline(data, instance, Page(port))


def test_files_are_taken_in_when_they_are_complete_and_five_hundred_in_bounded_looks(pipeline: Pipeline) -> None:
    voices, instance = pipeline.folders.voices, pipeline.instance
    keys = lambda: set(instance.get_dynamic_partitions("audio")) - {"talk"}  # noqa: E731
    growing = Upload(voices / "growing.wav")
    growing.start()
    (voices / "whole.wav").write_bytes(b"sound")
    print(f"a whole file was taken in after {seconds_until(lambda: 'whole' in keys()):.1f} s")
    sleep(4)  # one more look
    assert keys() == {"whole"}
    growing.complete()
    print(f"one that grew, after {seconds_until(lambda: 'growing' in keys()):.1f} s")

    for number in range(FILES):
        (voices / f"lesson {number}.wav").write_bytes(b"sound %d" % number)
    print(f"{FILES} files, after {seconds_until(lambda: len(keys()) == FILES + 2):.1f} s")
    ticks = [tick for name in ("uploads", "clips") for tick in pipeline.page.sensor_ticks(name)]
    lengths = [tick.seconds for tick in ticks if tick.seconds is not None]
    print(f"{len(lengths)} looks, {max(lengths):.1f} s at most")
    assert {tick.status for tick in ticks} <= {"STARTED", "SUCCESS", "SKIPPED"} and max(lengths) < LIMIT
    counts = [tick.said.count("lesson") for tick in ticks]
    assert max(counts) < FILES_A_LOOK


def seconds_until(reached: Callable[[], bool]) -> float:
    began = monotonic()
    wait_for(reached, 120, every=0.1)
    return monotonic() - began


def test_a_campaigns_time_comes_and_comes_again(pipeline: Pipeline) -> None:
    page, instance = pipeline.page, pipeline.instance
    fired = lambda: [tick for tick in page.schedule_ticks("campaign_autumn") if tick.status != "STARTED"]  # noqa: E731
    wait_for(lambda: len(fired()) >= 2, every=1)
    first, second = fired()[:2]
    assert first.status == "SUCCESS" and len(first.run_ids) == 1
    run = instance.get_run_by_id(first.run_ids[0])
    assert run is not None and run.job_name == "make_clip" and run.tags["dagster/partition"] == "talk|anna"
    assert second.status == "SKIPPED" and "There is nothing to start. autumn.yaml: 1 done" in second.said
    assert pipeline.folders.clip(ClipKey("talk", "anna")).is_file()
