"""Page and daemon at work: files are dropped, clips appear, and nobody pressed a button."""

import shutil
from collections import Counter
from pathlib import Path
from time import sleep

import pytest
from typer.testing import CliRunner

from heygem_pipeline.cli.main import app
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import write_voice
from heygem_pipeline_tests.served import serving, wait_until

pytestmark = [pytest.mark.server, pytest.mark.long(minutes=1.5)]


def test_what_is_dropped_becomes_clips_and_what_is_replaced_is_made_again(
    data: DataFolders,
    material: Path,
    port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEYGEM_AUTOMATIC", "clips")
    with serving(port, tmp_path / "up.log"), open_instance(data) as instance:
        shutil.copy(material / "presenter.mp4", data.presenters / "anna.mp4")
        shutil.copy(material / "voice.wav", data.voices / "第一课.wav")
        (data.voices / "broken.wav").write_bytes(b"no sound")
        done = wait_until(instance, data, lambda found: found.counts == {State.DONE: 1, State.FAILED: 1})
        assert "broken.wav" in str(done.clips[ClipKey("broken", "anna")].reason)
        first = finished_report(data, ClipKey("第一课", "anna"))
        shutil.copy(material / "voice.wav", data.voices / "broken.wav")
        wait_until(instance, data, lambda found: found.counts == {State.DONE: 2})
        assert finished_report(data, ClipKey("第一课", "anna")) == first is not None
        wait_until(instance, data, lambda found: {s.state for s in found.deliveries.values()} == {State.DONE})
        assert Counter(run.job_name for run in instance.get_runs()) == {
            "analyse_voice": 3,
            "track_presenter": 1,
            "make_clip": 2,
            "deliver": 2,
        }


def test_a_cancelled_clip_stops_frees_the_gpu_and_is_left_until_somebody_asks(
    data: DataFolders,
    material: Path,
    port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEYGEM_AUTOMATIC", "clips")
    shutil.copy(material / "presenter.mp4", data.presenters / "anna.mp4")
    write_voice(data.voices / "long.wav", 30.0)
    with serving(port, tmp_path / "up.log"), open_instance(data) as instance:
        wait_until(instance, data, lambda found: bool(found.clips) and share_of_long(found) > 0)
        assert CliRunner().invoke(app, ["cancel", "long/anna"]).exit_code == 0
        wait_until(instance, data, lambda found: found.counts == {State.FAILED: 1})
        assert instance.event_log_storage.get_concurrency_info("gpu").claimed_slots == []
        sleep(6)  # two looks of the quick daemon's sensor
        assert plan(instance, data, settings()).counts == {State.FAILED: 1}
        assert CliRunner().invoke(app, ["retry"]).exit_code == 0
        wait_until(instance, data, lambda found: found.counts == {State.RUNNING: 1})


def share_of_long(found: Plan) -> float:
    return found.clips[ClipKey("long", "anna")].share or 0.0
