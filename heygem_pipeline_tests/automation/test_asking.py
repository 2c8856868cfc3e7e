"""What people ask of clips: to be tried again, made now, or stopped."""

from collections.abc import Iterator

import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.automation.asking import make_missing_now, try_again
from heygem_pipeline.automation.instance import open_instance
from heygem_pipeline.automation.requests import read_requests
from heygem_pipeline.automation.standing import Stand
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline_tests.automation.house import CLIP, House


@pytest.fixture
def house(data: DataFolders) -> Iterator[House]:
    with open_instance() as instance:
        house = House(data, instance)
        house.make_inputs()
        yield house


def test_a_clip_that_was_removed_for_its_age_is_made_again(house: House) -> None:
    house.make_clip()
    house.folders.clip("one", "one").unlink()
    house.folders.report("one", "one").rename(house.folders.removed("one", "one"))
    found = house.plan()
    assert found.clips["one", "one"].stand is Stand.REMOVED
    assert try_again(house.folders, found, found.clips) == [("one", "one")]
    assert house.clip().stand is Stand.READY and read_requests(house.folders).clips == ["one|one"]


def test_what_failed_is_tried_again_and_what_did_not_is_left_alone(house: House) -> None:
    house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, {"heygem/sentence": "It has no face."})
    house.make_clip("one", "two")
    found = house.plan()
    assert try_again(house.folders, found, found.clips) == [("one", "one")]
    assert house.clip().stand is Stand.READY and house.clip("one", "two").stand is Stand.DONE


def test_only_what_is_missing_is_made_now(house: House) -> None:
    house.make_clip("one", "two")
    house.run(CLIP, "one|one", DagsterRunStatus.FAILURE, {"heygem/sentence": "It has no face."})
    found = house.plan()
    assert make_missing_now(house.folders, found, found.clips) == [("two", "one"), ("two", "two")]
