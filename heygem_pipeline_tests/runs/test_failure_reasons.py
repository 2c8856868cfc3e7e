"""Why a run failed: recorded by a step, read from the log once, kept in a tag; and what earlier versions recorded."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.execution.plan.objects import StepFailureData, UserFailureData
from sqlalchemy.exc import OperationalError

from heygem_pipeline.assets.step_retries import fail_or_retry
from heygem_pipeline.errors import DiskFull, NoFace
from heygem_pipeline.messages.message import Message, verbatim
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.failure_reasons import (
    INTERRUPTED,
    LONGEST_TEXT,
    STOPPED,
    is_noted,
    read_reason,
    reason_in,
    reason_tag,
)
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.house import CLIP, House
from heygem_pipeline_tests.served import wait_for

NO_FACE = Message("face.not_found", file="anna.mp4")


@pytest.fixture
def house(data: DataFolders) -> Iterator[House]:
    with open_instance(data) as instance:
        yield House(data, instance)


def reason_of(fail: Callable[[], None]) -> Message:
    """Why a run failed whose step does this."""

    @dg.op
    def step() -> None:
        fail()

    @dg.job(executor_def=dg.in_process_executor)
    def job() -> None:
        step()

    with dg.instance_for_test() as instance:
        return read_reason(instance, job.execute_in_process(instance=instance, raise_on_error=False).run_id)


def raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def named(error: Exception) -> Callable[[], None]:
    """As an asset of the graph fails with it."""

    def fail() -> None:
        with fail_or_retry():
            raise error

    return fail


def test_a_named_errors_code_and_values_are_read_back() -> None:
    within = Message("campaigns.choice", file="a.yaml", chosen='crf "20"')
    assert reason_of(named(NoFace("face.not_found", file="anna.mp4"))) == NO_FACE
    assert reason_of(named(DiskFull("storage.disk_full", file="a.mp4", free=1.5, first=within))) == Message(
        "storage.disk_full", file="a.mp4", free=1.5, first=within
    )


def test_what_nobody_foresaw_is_told_by_its_last_line() -> None:
    assert reason_of(raising(ValueError("one\ntwo"))) == Message("run.unexpected", error="two")


def test_a_database_that_was_away_is_known_however_it_is_wrapped() -> None:
    broken = sqlite3.OperationalError("server closed the connection\n\tThis probably means")
    lost = OperationalError("SELECT 1", None, broken)
    lost.__cause__ = broken
    in_vain = RuntimeError("too many retries")
    in_vain.__cause__ = lost
    known = Message("run.database_failed", error="sqlite3.OperationalError: server closed the connection")
    assert [reason_of(raising(error)) for error in (broken, lost, in_vain)] == [known] * 3


def test_texts_are_shortened_and_stay_a_message() -> None:
    reason = reason_of(named(NoFace("face.not_found", file="x" * 10_000)))
    assert reason == Message("face.not_found", file="x" * LONGEST_TEXT)
    assert reason_in(reason_tag(reason)) == reason


def earlier(sentence: str, error: str) -> Callable[[], None]:
    """As assets of earlier versions failed."""
    return raising(dg.Failure(sentence, {"error": error}, allow_retries=False))


def test_what_earlier_versions_recorded_is_read() -> None:
    assert reason_of(earlier("No face.", "NoFace")) == verbatim("No face.")
    assert reason_of(earlier("No room.", "DiskFull")) == Message("run.disk_full", sentence="No room.")
    assert reason_in({"heygem/sentence": "interrupted"}) == INTERRUPTED
    assert reason_in({"heygem/sentence": "stopped"}) == STOPPED
    assert reason_in({"heygem/sentence": "No face."}) == verbatim("No face.")
    assert [is_noted({"heygem/sentence": said}) for said in ("stopped", "No face.")] == [True, False]


def test_a_disk_that_was_full_for_an_earlier_version_is_no_reason_to_give_up(house: House) -> None:
    house.make_inputs()
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.STARTED, {"heygem/sentence": "No room."})
    run = house.instance.get_run_by_id(run_id)
    assert run is not None
    failure = StepFailureData(None, UserFailureData("intentional-failure", "No room.", {"error": "DiskFull"}))
    event = DagsterEvent(DagsterEventType.STEP_FAILURE.value, run.job_name, event_specific_data=failure)
    house.instance.report_dagster_event(event, run_id)
    house.instance.report_run_failed(run, job_failure_data=JobFailureData(None, RunFailureReason.STEP_FAILURE))
    house.instance.add_run_tags(run_id, {"dagster/will_retry": "false"})
    assert house.clip().state is State.READY


def test_a_failure_of_an_earlier_version_stays_one(house: House) -> None:
    house.make_inputs()
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, {"heygem/sentence": "No face."})
    for _ in range(2):
        assert (house.clip().state, house.clip().reason) == (State.FAILED, verbatim("No face."))
    run = house.instance.get_run_by_id(run_id)
    assert run is not None and is_noted(run.tags)


WAITING_RUN = """
import sys, time
from pathlib import Path
import dagster as dg
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.paths import data_folders

@dg.op(pool="gpu")
def step():
    Path(sys.argv[1]).touch()
    time.sleep(60)

@dg.job(executor_def=dg.in_process_executor)
def job():
    step()

with open_instance(data_folders()) as instance:
    job.execute_in_process(instance=instance, raise_on_error=False)
"""


@pytest.mark.parametrize("in_a_step", [True, False])
def test_a_run_that_was_told_to_stop_says_so(data: DataFolders, tmp_path: Path, in_a_step: bool) -> None:
    with open_instance(data) as instance:
        pool = instance.event_log_storage
        pool.set_concurrency_slots("gpu", 1)
        if not in_a_step:
            pool.claim_concurrency_slot("gpu", "another run", "step")
        process = subprocess.Popen([sys.executable, "-c", WAITING_RUN, str(tmp_path / "at work")])

        def waits() -> bool:
            return any(step.run_id != "another run" for step in pool.get_concurrency_info("gpu").pending_steps)

        wait_for((tmp_path / "at work").exists if in_a_step else waits)
        process.terminate()
        if not in_a_step:
            sleep(1)
            pool.free_concurrency_slots_for_run("another run")
        process.wait(60)
        (run,) = instance.get_runs()
        assert run.status is DagsterRunStatus.FAILURE
        assert read_reason(instance, run.run_id) == STOPPED
