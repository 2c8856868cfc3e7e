"""Previews: asked for in the page, made by a run before all else, and never counted as clips."""

import shutil
from pathlib import Path
from time import time
from typing import Any

import dagster as dg
import pytest
from starlette.testclient import TestClient

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.clip import excerpt
from heygem_pipeline.clip.voice_text import VoiceText
from heygem_pipeline.definitions import defs
from heygem_pipeline.media.probe import probe_video
from heygem_pipeline.operations.erasure import ErasureTarget, erase, plan_erasure
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.operations.retention import prune
from heygem_pipeline.orchestration.previews import draw_preview, preview_job, previews
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.previews import read_wish
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.settings import Subtitles, settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import write_voice
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.conftest import page, rules

TALK = ClipKey("talk", "anna")


@pytest.fixture
def real(house: House, material: Path) -> House:
    """A house with a voice and a presenter that are no mere names."""
    shutil.copy(material / "voice.wav", house.folders.voices / "talk.wav")
    shutil.copy(material / "presenter.mp4", house.folders.presenters / "anna.mp4")
    house.take_in()
    return house


def tick(house: House) -> list[dg.RunRequest]:
    with dg.build_sensor_context(house.instance, definitions=defs) as context:
        return list(previews.evaluate_tick(context).run_requests or [])


def run(house: House, request: dg.RunRequest) -> bool:
    """Run what the sensor asks for, as the daemon would."""
    made = preview_job.execute_in_process(
        instance=house.instance, run_config=request.run_config, tags=dict(request.tags), raise_on_error=False
    )
    return made.success


def asked(client: TestClient, **more: Any) -> int:
    wanted = {"voice": "talk", "presenter": "anna", "seconds": 1, "quality": "small", "label": "always"}
    return client.post("/api/previews", json=wanted | more).status_code


def state(client: TestClient, pair: str = "talk/anna") -> Any:
    return client.get(f"/api/previews/{pair}").json()


def test_a_preview_is_asked_for_made_and_played_and_counts_as_no_clip(real: House) -> None:
    with page(real, rules()) as client:
        assert state(client) is None and asked(client) == 200
        assert state(client) == {"state": "waiting"}
        # Pressed twice, it is made once.
        assert asked(client) == 200
        (request,) = tick(real)
        assert int(request.tags["dagster/priority"]) > 0 and draw_preview.pool == "gpu"
        assert run(real, request)
        assert state(client)["state"] == "done" and tick(real) == []
        assert client.get("/files/previews/talk/anna.mp4", headers={"range": "bytes=0-9"}).status_code == 206
        wish = read_wish(real.folders, TALK)
        assert wish is not None and wish.made_with.crf == 26
    assert probe_video(real.folders.preview(TALK)).frame_count == 20
    found = plan(real.instance, real.folders, settings())
    assert not real.folders.clip(TALK).exists() and found.clips[TALK].state == "waiting"


def test_a_preview_shows_what_is_said_then(real: House, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[VoiceText | None] = []
    made = excerpt.generate_clip_saying

    def noted(*given: Any) -> ClipReport:
        said.append(given[0])
        return made(*given)

    monkeypatch.setattr(excerpt, "generate_clip_saying", noted)
    write_voice(real.folders.voices / "talk.wav", 2.0)
    (real.folders.voices / "talk.yaml").write_text("start: 0.2\n")
    (real.folders.voices / "talk.srt").write_text("1\n00:00:00,900 --> 00:00:01,400\nGood morning.\n")
    with page(real, rules()) as client:
        asked(client, subtitles="burnt", begin=0.5)
        (request,) = tick(real)
        assert run(real, request) and state(client)["state"] == "done"
    (text,) = said
    assert text is not None
    (cue,) = text.track.cues
    assert (cue.text, round(cue.begin, 3), round(cue.end, 3)) == ("Good morning.", 0.2, 0.7)
    wish = read_wish(real.folders, TALK)
    assert wish is not None and wish.made_with.subtitles is Subtitles.BURNT


def test_another_wish_takes_the_place_of_the_last(real: House) -> None:
    with page(real, rules()) as client:
        asked(client)
        asked(client, quality="best")
        (request,) = tick(real)
        assert run(real, request)
        wish = read_wish(real.folders, TALK)
        assert wish is not None and wish.made and wish.made_with.crf == 14
        asked(client)
        assert state(client) == {"state": "waiting"}


def test_what_cannot_be_made_says_why_and_can_be_asked_for_again(real: House) -> None:
    with page(real, rules()) as client:
        asked(client, begin=30)
        (request,) = tick(real)
        assert not run(real, request)
        assert state(client)["why"]["code"] == "excerpt.past_end" and "0.8" in state(client)["why"]["sentence"]
        assert tick(real) == [] and asked(client) == 200 and state(client) == {"state": "waiting"}


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"voice": "nobody"}, 404), ({"quality": "golden"}, 400), ({"seconds": 3600}, 400), ({"begin": -1}, 400)],
)
def test_what_is_no_preview_is_refused(real: House, wrong: dict[str, Any], status: int) -> None:
    with page(real, rules()) as client:
        assert asked(client, **wrong) == status
        assert tick(real) == []


def test_previews_go_by_themselves_and_with_their_voice(real: House) -> None:
    with page(real, rules()) as client:
        asked(client)
        (request,) = tick(real)
        run(real, request)
        gone = prune(real.instance, real.folders, settings(), now=time() + 25 * 3600)
        assert ("previews", 2) in {(kind.what, kind.count) for kind in gone} and state(client) is None
        asked(client)
        (request,) = tick(real)
        run(real, request)
    voice = ErasureTarget("talk", None)
    erase(real.instance, real.folders, plan_erasure(real.instance, real.folders, voice))
    assert list(real.folders.previews.glob("*")) == []
    assert [one for one in real.instance.get_runs() if "talk" in str(one.run_config)] == []


def test_a_presenter_that_is_tracked_is_not_tracked_again(
    data: DataFolders, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(material / "voice.wav", data.voices / "talk.wav")
    shutil.copy(material / "presenter.mp4", data.presenters / "anna.mp4")

    with open_instance(data) as instance:
        take_in_uploads(instance, data)
        Materializer(instance, NoDisplay(), CampaignSpecifications(data, settings())).run(["face_tracks"], "anna")
        monkeypatch.delattr("heygem_pipeline.clip.excerpt.track_presenter")
        house = House(data, instance)
        with page(house, rules()) as client:
            asked(client)
            (request,) = tick(house)
            assert run(house, request) and state(client)["state"] == "done"
