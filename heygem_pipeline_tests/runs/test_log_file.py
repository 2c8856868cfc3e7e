"""``data/logs/heygem.log``: a line for everything that matters, with whose it is, whatever process wrote it."""

import logging
import re
import subprocess
import sys

import dagster as dg
import pytest
from dagster import DagsterEventType, DagsterRunStatus
from dagster._core.events import JobFailureData, RunFailureReason

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.operations.recovery import fail_abandoned_runs
from heygem_pipeline.orchestration.sensors import killed_runs, uploads
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.runs import log_file
from heygem_pipeline.runs.failure_reasons import INTERRUPTED
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.log_file import note
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.house import CLIP, House

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (INFO|WARNING|ERROR) +([0-9a-f]{8}|-) +\[([^]]+)\] ([^:]+): (.*)")
LINES_A_PROCESS = 40

TALKING_RUN = f"""
import sys
import dagster as dg
from heygem_pipeline.runs.failure_reasons import INTERRUPTED
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.paths import data_folders

@dg.op
def talk(context):
    for number in range({LINES_A_PROCESS}):
        context.log.debug("nobody needs this")
        context.log.info(f"line {{number}}\\nits second line")

@dg.job(executor_def=dg.in_process_executor)
def talking():
    talk()

with open_instance(data_folders()) as instance:
    tags = {{"dagster/partition": sys.argv[1]}}
    talking.execute_in_process(instance=instance, tags=tags)
"""


def written(folders: DataFolders) -> list[str]:
    return folders.log_file.read_text(encoding="utf-8").splitlines()


def test_runs_of_two_processes_write_whole_lines_with_run_clip_and_step(data: DataFolders) -> None:
    clips = ["第一课|anna", "welcome|anna"]
    with open_instance(data):
        processes = [subprocess.Popen([sys.executable, "-c", TALKING_RUN, clip]) for clip in clips]
        assert [process.wait(120) for process in processes] == [0, 0]
    lines = written(data)
    found = [match for line in lines if (match := LINE.fullmatch(line))]
    assert [line for line in lines if not LINE.fullmatch(line)] == ["    its second line"] * 2 * LINES_A_PROCESS
    for clip in clips:
        told = [match.groups() for match in found if match[3] == clip.replace("|", "/")]
        assert len({run for _, run, *_ in told}) == 1
        assert [(stage, message) for *_, stage, message in told if message.startswith("line")] == [
            ("talk", f"line {number}") for number in range(LINES_A_PROCESS)
        ]
        assert told[0][3:] == ("run", "Started.") and told[-1][3:] == ("run", "Finished.")
    assert not any("nobody needs" in line for line in lines)


def test_a_bad_file_is_told_in_its_sentence_without_a_stack_trace(data: DataFolders) -> None:
    (data.voices / "broken.wav").write_bytes(b"no sound")
    with open_instance(data) as instance:
        take_in_uploads(instance, data)
        materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(data, settings()))
        sentence = materializer.run(["audio_features"], "broken")
    matches = [LINE.fullmatch(line) for line in written(data)]
    assert sentence and all(matches)
    told = [match.groups() for match in matches if match]
    assert {whose for *_, whose, _, _ in told} == {"broken"}
    assert [(level, stage) for level, _, _, stage, message in told if message == sentence] == [
        ("ERROR", "audio_features")
    ]


def test_what_nobody_foresaw_has_its_stack_trace_once_indented(data: DataFolders) -> None:
    @dg.op
    def fall_over() -> None:
        raise ZeroDivisionError("seven by nothing")

    @dg.job(executor_def=dg.in_process_executor)
    def falling() -> None:
        fall_over()

    with open_instance(data) as instance:
        falling.execute_in_process(instance=instance, raise_on_error=False)
    lines = written(data)
    assert sum("ZeroDivisionError: seven by nothing" in line for line in lines) == 1
    assert all(LINE.fullmatch(line) or line.startswith("    ") for line in lines)


def test_recovery_says_which_runs_it_failed(house: House) -> None:
    run_id = house.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    fail_abandoned_runs(house.instance, house.folders)
    (line,) = [LINE.fullmatch(line) for line in written(house.folders)]
    assert line and line.groups()[:4] == ("ERROR", run_id[:8], "one/two", "recovery")


def test_a_run_whose_process_was_killed_is_told_once(house: House) -> None:
    killed = house.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    failed_itself = house.run(CLIP, "one|one", DagsterRunStatus.STARTED)
    run = house.instance.get_run_by_id
    house.instance.report_run_failed(run(killed) or pytest.fail(), "Its process is gone.")
    data = JobFailureData(None, RunFailureReason.STEP_FAILURE)
    house.instance.report_run_failed(run(failed_itself) or pytest.fail(), "A step failed.", data)
    abandoned = house.run(CLIP, "two|one", DagsterRunStatus.STARTED)
    assert fail_abandoned_runs(house.instance, house.folders) == [abandoned]
    for run_id in (killed, failed_itself, abandoned):
        (record,) = house.instance.get_records_for_run(run_id, of_type=DagsterEventType.RUN_FAILURE).records
        event = record.event_log_entry.dagster_event
        ended = run(run_id)
        assert event and ended
        killed_runs(dg.build_run_status_sensor_context("killed_runs", event, house.instance, ended))
    by_recovery, line = written(house.folders)
    assert abandoned[:8] in by_recovery
    assert line.endswith(f"ERROR   {killed[:8]} [one/two] run: {INTERRUPTED} Its process is gone.")


def test_new_and_retired_uploads_are_told_and_nothing_else(house: House) -> None:
    for change in (lambda: None, (house.folders.voices / "one.wav").unlink):
        change()
        uploads(dg.build_sensor_context(house.instance))
    (line,) = [LINE.fullmatch(line) for line in written(house.folders)]
    assert line and (line[4], line[5]) == ("uploads", "audio, gone: one.")


def test_a_line_of_no_run_says_who_speaks(data: DataFolders) -> None:
    note(data, "Page and daemon start.", "up", level=logging.WARNING)
    (line,) = written(data)
    assert line.endswith("WARNING -        [-] up: Page and daemon start.")


def test_the_file_rotates_and_loses_nothing(data: DataFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BYTES_A_FILE", 300)
    for number in range(20):
        note(data, f"number {number:02}", "up")
    files = sorted(data.log_file.parent.glob("heygem.log*"), reverse=True)
    assert len(files) > 2
    numbers = [line[-2:] for file in files for line in file.read_text().splitlines()]
    assert numbers == [f"{number:02}" for number in range(20)]
