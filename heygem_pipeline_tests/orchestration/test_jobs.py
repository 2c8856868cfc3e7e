"""The jobs of Dagster's page besides backfills, run in this process."""

import pytest
from dagster import DagsterRunStatus, ExecuteInProcessResult

from heygem_pipeline.messages.message import Message
from heygem_pipeline.orchestration.jobs import make_wanted
from heygem_pipeline.planning.requests import put_off, read_requests
from heygem_pipeline.runs.failure_reasons import UNEXPECTED, reason_tag
from heygem_pipeline_tests.house import CLIP, House


@pytest.fixture
def campaign(house: House) -> House:
    """Of four pairs three are wanted: one is made, one has failed, one is missing. The fourth nobody wants."""
    (house.folders.campaigns / "autumn.yaml").write_text("title: Autumn term\nvoices: one\npresenters: '*'\n")
    (house.folders.campaigns / "winter.yaml").write_text("voices: two\npresenters: one\n")
    house.make_inputs()
    house.make_clip("one", "one")
    house.run(CLIP, "one|two", DagsterRunStatus.FAILURE, reason_tag(Message(UNEXPECTED, error="no memory")))
    return house


def launch(house: House, **config: object) -> ExecuteInProcessResult:
    return make_wanted.execute_in_process(
        run_config={"ops": {"ask_for_wanted": {"config": config}}}, instance=house.instance, raise_on_error=False
    )


def test_only_wanted_clips_are_asked_for(campaign: House) -> None:
    assert launch(campaign).success
    assert set(read_requests(campaign.folders).clips) == {"one|two", "two|one"}


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        ({"campaign": "Autumn term"}, {"one|two"}),
        ({"campaign": "winter"}, {"two|one"}),
        ({"failed": False}, {"two|one"}),
    ],
)
def test_the_launchpad_chooses_among_them(campaign: House, config: dict[str, object], asked: set[str]) -> None:
    assert launch(campaign, **config).success
    assert set(read_requests(campaign.folders).clips) == asked


def test_what_somebody_cancelled_is_not_asked_for(campaign: House) -> None:
    put_off(campaign.folders, ["two|one"])
    assert launch(campaign).success
    assert set(read_requests(campaign.folders).clips) == {"one|two"}


def test_a_campaign_that_is_not_there_fails_the_run(campaign: House) -> None:
    assert not launch(campaign, campaign="summer").success
    assert not read_requests(campaign.folders).clips
