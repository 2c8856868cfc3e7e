"""A run that is killed in the middle: nothing half-made is visible, the slot comes free, and the clip can be made."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import dagster as dg
import pytest

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.operations.recovery import end_leftover_processes, fail_abandoned_runs, remove_half_written
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.runs.instance import dagster_environment, open_instance
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders

RUN_THE_CLIP = """
from heygem_pipeline.runs.partitions import multi_partition_key
from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import data_folders
with open_instance(data_folders()) as instance:
    clip = multi_partition_key(ClipKey("talk", "teacher"))
    materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(data_folders(), settings()))
    materializer.run(["generated_frames", "encoded_video"], clip)
"""


def half_written(data: DataFolders) -> list[Path]:
    return list(data.root.rglob(f"{TEMPORARY_PREFIX}*"))


@pytest.mark.long
def test_a_killed_run_leaves_nothing_and_can_be_made_again(data: DataFolders, material: Path) -> None:
    shutil.copy(material / "voice.wav", data.voices / "talk.wav")
    shutil.copy(material / "presenter.mp4", data.presenters / "teacher.mp4")
    with open_instance(data) as instance:
        take_in_uploads(instance, data)
        materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(data, settings()))
        materializer.run(["audio_features"], "talk")
        materializer.run(["face_tracks"], "teacher")

        run = subprocess.Popen([sys.executable, "-c", RUN_THE_CLIP], env=os.environ.copy(), start_new_session=True)
        deadline = monotonic() + 120
        while not half_written(data):
            assert run.poll() is None and monotonic() < deadline, "the run ended before it could be killed"
            sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()

        assert not data.clip(ClipKey("talk", "teacher")).exists()
        assert not data.patches(ClipKey("talk", "teacher")).exists()
        pool = instance.event_log_storage.get_concurrency_info("gpu")
        assert len(pool.claimed_slots) == 1

        assert len(fail_abandoned_runs(instance, data)) == 1
        remove_half_written(data)
        assert half_written(data) == []
        assert instance.event_log_storage.get_concurrency_info("gpu").claimed_slots == []
        assert instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])) == []

        assert (
            materializer.run(["generated_frames", "encoded_video"], multi_partition_key(ClipKey("talk", "teacher")))
            is None
        )
    assert data.clip(ClipKey("talk", "teacher")).is_file()


def test_what_copied_a_killed_runs_output_ends_too(data: DataFolders) -> None:
    output = data.state / "run.out"
    output.touch()
    environment = os.environ | dagster_environment(data)
    copying = subprocess.Popen(["tail", "-F", "-c", "+0", str(output)], env=environment, stdout=subprocess.DEVNULL)
    end_leftover_processes(data)
    assert copying.poll() is not None
