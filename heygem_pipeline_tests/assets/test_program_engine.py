"""A clip whose mouth another program draws, through the graph: whole, or failed once in one sentence."""

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest
import yaml

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.faces.mesh_tracker import MeshTracker
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.lipsync.contract.material import RATE, HeldPresenter
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import swaying_presenter
from heygem_pipeline_tests.lipsync.program.recipes import recipe_text, write_recipe

CLIP = ClipKey("voice", "presenter")


@pytest.fixture(scope="module")
def presenter() -> HeldPresenter:
    pictures = swaying_presenter()
    height, width = pictures[0].shape[:2]
    followed = MeshTracker().track(iter(pictures), RATE)
    return HeldPresenter(tuple(pictures), complete_tracks(followed, RATE, (width, height)))


def made(data: DataFolders, instance: dg.DagsterInstance, recipe: Path, patch: pytest.MonkeyPatch) -> str | None:
    """Make the clip with a recipe; return the sentence of its failure."""
    patch.setenv("HEYGEM_ENGINE", "program")
    patch.setenv("HEYGEM_PROGRAM", str(recipe))
    settings.cache_clear()
    take_in_uploads(instance, data)
    materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(data, settings()))
    for asset, key in (("audio_features", "voice"), ("face_tracks", "presenter")):
        assert materializer.run([asset], key) is None
    return materializer.run(["generated_frames", "encoded_video"], multi_partition_key(CLIP))


@pytest.fixture
def folders(data: DataFolders, material: Path) -> DataFolders:
    shutil.copy(material / "voice.wav", data.voices)
    shutil.copy(material / "presenter.mp4", data.presenters)
    return data


def test_a_program_draws_a_clip_of_the_graph(
    folders: DataFolders, presenter: HeldPresenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_instance(folders) as instance:
        assert made(folders, instance, write_recipe(tmp_path, presenter, "tint"), monkeypatch) is None
    report = json.loads(folders.report(CLIP).read_text(encoding="utf-8"))
    assert report["engine"] == "program" and report["engine_version"].startswith("1 (stand-in ")
    assert (report["device"], report["frames"]) == ("cpu", 20)


def test_a_program_that_crashes_is_called_once_and_leaves_nothing(
    folders: DataFolders, presenter: HeldPresenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = yaml.safe_load(recipe_text(presenter))
    counted["command"] = {
        "program": "sh",
        "arguments": ["-c", f'echo called >> "{tmp_path}/calls"; echo out of memory; exit 3'],
    }
    (tmp_path / "crash.yaml").write_text(yaml.safe_dump(counted))
    with open_instance(folders) as instance:
        said = made(folders, instance, tmp_path / "crash.yaml", monkeypatch)
    assert said == "Stand-in ended with exit status 3; the last it said: out of memory"
    assert (tmp_path / "calls").read_text() == "called\n"
    assert not folders.clip(CLIP).exists() and not folders.patches(CLIP).exists()
