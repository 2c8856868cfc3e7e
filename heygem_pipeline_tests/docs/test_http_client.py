"""The example client takes a batch through its whole life: with a token, a login before the page, and real clips."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.media.probe import probe_video
from heygem_pipeline.operations.materialize import Materializer, make_missing
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio.application import application
from heygem_pipeline.studio.http_api.tokens import Tokens
from heygem_pipeline.studio.passwords import user_line
from heygem_pipeline.studio.shared_state import Studio
from heygem_pipeline_tests.conftest import free_port
from heygem_pipeline_tests.studio.conftest import rules
from heygem_pipeline_tests.studio.listening import listening_at

FILE = Path(__file__).parents[2] / "docs" / "examples" / "http_client.py"


@pytest.fixture
def example() -> Iterator[ModuleType]:
    """The example, loaded as a module."""
    described = importlib.util.spec_from_file_location("http_client_example", FILE)
    assert described is not None and described.loader is not None
    module = importlib.util.module_from_spec(described)
    sys.modules[described.name] = module
    described.loader.exec_module(module)
    yield module
    del sys.modules[described.name]


def make_what_is_wanted(data: DataFolders) -> None:
    """As the daemon does, here without one."""
    with open_instance(data) as instance:
        materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(data, settings()))
        clips = list(plan(instance, data, settings()).clips)
        make_missing(instance, data, settings(), materializer, clips, print)


@pytest.mark.long
def test_a_program_with_a_token_takes_a_batch_through_its_whole_life(
    data: DataFolders, material: Path, example: ModuleType, tmp_path: Path
) -> None:
    tokens = Tokens(data)
    token = tokens.create("lms")
    behind_a_login = replace(rules(user_line("anna", "correct horse")), tokens=tokens)
    with open_instance(data) as instance:
        studio = Studio(instance, data, settings(), behind_a_login)
        with listening_at(application(studio), free_port()) as address:
            client = example.Client(address, token, "zh")
            with pytest.raises(example.Refused) as refusal:
                example.Client(address, "heygem_wrong").begin("Autumn", ["voice"], ["presenter"])
            assert (refusal.value.code, refusal.value.status) == ("refused.token", 401)

            voice = client.bring_in("voices", material / "voice.wav")
            presenter = client.bring_in("presenters", material / "presenter.mp4")
            batch = client.begin("Autumn", [voice], [presenter], quality="small")["name"]
            assert client.cancel(batch)["clips"][0]["why"] == {
                "code": "clip.cancelled",
                "values": {},
                "sentence": "已被取消。",
            }
            assert client.retry(batch)["finished"] is False

            making = Thread(target=make_what_is_wanted, args=(data,))
            making.start()
            *_, last = client.watch(batch)
            making.join()
            assert last["counts"] == {"done": 1}

            (tmp_path / "voice - presenter.mp4.part").write_bytes(
                data.outputs.joinpath("voice/presenter.mp4").read_bytes()[:999]
            )
            clip = client.fetch_clip(voice, presenter, tmp_path)
            assert clip.read_bytes() == data.outputs.joinpath("voice/presenter.mp4").read_bytes()
            assert probe_video(clip).frame_count == 20

            tokens.withdraw("lms")
            with pytest.raises(example.Refused):
                client.standing(batch)
