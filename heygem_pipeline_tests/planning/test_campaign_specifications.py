"""What campaigns order is what is made: engine, settings, and what lies in the ZIP."""

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.errors import CampaignsDisagree
from heygem_pipeline.media.aigc import read_aigc
from heygem_pipeline.operations.materialize import Materializer, make_missing
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.house import CLIP, House


def campaign(folders: DataFolders, name: str, more: str, voices: str = '["*"]') -> None:
    (folders.campaigns / f"{name}.yaml").write_text(f'voices: {voices}\npresenters: "*"\n{more}\n')


def test_a_clip_is_made_and_delivered_as_its_campaign_says(data: DataFolders, material: Path) -> None:
    shutil.copy(material / "voice.wav", data.voices / "welcome.wav")
    shutil.copy(material / "presenter.mp4", data.presenters / "anna.mp4")
    (data.presenters / "wall.mp4").write_bytes(b"no video")
    campaign(
        data,
        "autumn",
        "settings: {content_producer: Example University, crf: 30}\n"
        "delivery: {report: yes, filmstrips: yes, voice: yes, named_by_language: yes}",
        "[{voice: welcome, language: en}]",
    )
    with open_instance(data) as instance:
        take_in_uploads(instance, data)
        materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(data, settings()))
        make_missing(instance, data, settings(), materializer, list(plan(instance, data, settings()).clips), print)
        found = plan(instance, data, settings())
        campaign(data, "winter", "settings: {crf: 12}")
        disagreement = materializer.run(CLIP, multi_partition_key(ClipKey("welcome", "anna")))
    assert disagreement is not None and "autumn.yaml" in disagreement and "winter.yaml" in disagreement
    assert found.clips[ClipKey("welcome", "anna")].state is State.DONE
    assert found.clips[ClipKey("welcome", "wall")].state is State.FAILED
    assert found.deliveries["welcome"].state is State.DONE
    report, mark = finished_report(data, ClipKey("welcome", "anna")), read_aigc(data.clip(ClipKey("welcome", "anna")))
    assert report is not None and report.made_with["crf"] == 30
    assert mark is not None and mark.ContentProducer == "Example University"
    with zipfile.ZipFile(data.delivery("welcome")) as archive:
        assert sorted(archive.namelist()) == [
            "anna.en.jpg",
            "anna.en.json",
            "anna.en.mp4",
            "manifest.csv",
            "manifest.json",
            "voice/welcome.wav",
        ]
        made, failed = json.loads(archive.read("manifest.json"))
        rows = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode("utf-8-sig"))))
    assert (made["clip"], made["finished"], made["made_with"]["crf"]) == ("anna.en.mp4", True, 30)
    assert (failed["template"], failed["finished"]) == ("wall.mp4", False) and "wall.mp4" in failed["sentence"]
    assert [row["sentence"] for row in rows] == ["", failed["sentence"]]


def test_another_engine_or_quality_makes_the_campaigns_clips_stale_and_no_others(house: House) -> None:
    house.make_inputs()
    house.make_clip("one", "one")
    house.make_clip("two", "one")
    campaign(house.folders, "other", "", "[two]")
    campaign(house.folders, "autumn", "settings: {crf: 12}", "[one]")
    assert (house.clip("one", "one").state, house.clip("two", "one").state) == (State.STALE, State.DONE)


@pytest.fixture
def disagreeing(house: House) -> House:
    house.make_inputs()
    campaign(house.folders, "a", "settings: {crf: 12}")
    campaign(house.folders, "b", "settings: {crf: 30}", "[two]")
    return house


def test_a_clip_that_two_campaigns_want_differently_fails_with_both_names(disagreeing: House) -> None:
    status = disagreeing.clip("two", "one")
    assert status.state is State.FAILED and "a.yaml" in str(status.reason) and "b.yaml" in str(status.reason)
    assert disagreeing.clip("one", "one").state is State.READY
    with pytest.raises(CampaignsDisagree, match=r"a\.yaml"):
        CampaignSpecifications(disagreeing.folders, settings()).render_spec(ClipKey("two", "one"))
    assert CampaignSpecifications(disagreeing.folders, settings()).render_spec(ClipKey("one", "one")).settings.crf == 12
