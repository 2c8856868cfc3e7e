"""The commands ``heygem logs`` and ``forget``."""

from threading import Timer

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.house import CLIP, PRESENTER, VOICE, House


def test_logs_tell_the_latest_run_of_a_voice_and_why_it_failed(house: House) -> None:
    first = house.run(VOICE, "one", DagsterRunStatus.SUCCESS)
    materializer = Materializer(house.instance, NoDisplay(), CampaignSpecifications(house.folders, settings()))
    sentence = materializer.run(["audio_features"], "one")
    done = heygem("logs", "one")
    assert done.exit_code == 0 and sentence and sentence in done.stdout and sentence in done.stderr
    latest = house.instance.get_runs(limit=1)[0].run_id
    assert f"[one] audio_features: {sentence}" in done.stdout and f"Run {latest}: failure, started" in done.stdout
    assert first not in done.stdout and "Traceback" not in done.stdout


def test_logs_of_a_clip_are_found_the_way_its_file_lies_in_outputs(house: House) -> None:
    run_id = house.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    house.instance.report_run_failed(house.instance.get_run_by_id(run_id) or pytest.fail())
    house.run(PRESENTER, "two", DagsterRunStatus.STARTED)
    for name in ("one/two", "one/two.mp4", "one|two"):
        done = heygem("logs", name)
        assert done.exit_code == 0 and f"Run {run_id}: failure" in done.stdout
        assert "process was killed" in done.stderr


def test_logs_of_a_clip_whose_presenter_failed_are_those_of_the_presenter(house: House) -> None:
    house.make_inputs()
    (house.folders.presenters / "two.mp4").write_bytes(b"other")
    house.take_in()
    failed = house.run(PRESENTER, "two", DagsterRunStatus.FAILURE, {"heygem/sentence": "Nobody is seen."})
    done = heygem("logs", "one/two")
    assert done.exit_code == 0 and f"Run {failed}: failure" in done.stdout
    assert "one/two was not begun: two failed" in done.stderr
    assert heygem("logs", "one/one").exit_code == 2


def test_logs_say_that_there_was_no_run(house: House) -> None:
    house.run(CLIP, "one|two", DagsterRunStatus.SUCCESS)
    for name in ("one/one", "one", "../state", ""):
        done = heygem("logs", name)
        assert done.exit_code == 2 and "There was no run of" in done.stderr


def test_logs_follow_a_run_until_it_ends(house: House) -> None:
    run_id = house.run(CLIP, "one|two", DagsterRunStatus.STARTED)

    def end() -> None:
        with dg.DagsterInstance.get() as instance:
            run = instance.get_run_by_id(run_id)
            assert run is not None
            instance.report_run_failed(run, "The disk went away.")

    assert "It is still running" in heygem("logs", "one/two").stdout
    Timer(1.5, end).start()
    done = heygem("logs", "one/two", "--follow")
    assert "The disk went away." in done.stdout and f"Run {run_id}: failure" in done.stdout


def test_forget_lists_asks_and_deletes(house: House) -> None:
    house.make_inputs()
    house.make_clip("one", "two")
    asked = heygem("forget", "one/two")
    assert asked.exit_code == 1 and "outputs/one/two.mp4" in asked.stdout and "is still wanted" in asked.stderr
    assert house.folders.clip(ClipKey("one", "two")).exists()
    done = heygem("forget", "one/two", "--presenter", "two", "--yes")
    assert done.exit_code == 0, done.output
    assert (
        not house.folders.clip(ClipKey("one", "two")).exists() and not (house.folders.presenters / "two.mp4").exists()
    )
    assert "files and the records of" in house.folders.log_file.read_text()


def test_forget_refuses_what_a_run_works_on_and_what_names_nothing(house: House) -> None:
    house.run(CLIP, "one|two", DagsterRunStatus.STARTED, {"dagster/partition/template": "two"})
    for arguments, status, said in (
        (["--presenter", "two"], 3, "first: heygem cancel 'one/two'"),
        (["../../etc/passwd"], 2, "names no voice or presenter"),
        (["--voice", "../.."], 2, "names no voice or presenter"),
        (["--voice", "three"], 2, "Nothing is kept of the voice three"),
        (["one"], 2, "--voice one"),
        ([], 2, "Name what to forget"),
    ):
        done = heygem("forget", "--yes", *arguments)
        assert (done.exit_code, said in done.stderr) == (status, True), done.output
    assert (house.folders.presenters / "two.mp4").exists()
