"""An upload is read through once and probed once, not anew for every step: counted where it happens."""

import shutil
from collections import Counter
from collections.abc import Callable
from os import utime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.clip.generate import generate_clip
from heygem_pipeline.clip.voice import analyse_voice, load_voice, save_voice
from heygem_pipeline.errors import UploadReplaced
from heygem_pipeline.media import probe
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage import fingerprint
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline_tests.conftest import write_voice
from heygem_pipeline_tests.house import CLIP


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often which file was hashed, and probed for its picture or its sound."""
    counted: Counter[str] = Counter()

    def count(module: Any, name: str, what: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def counting(path: Path, *arguments: Any) -> Any:
            counted[f"{what} {path.name}"] += 1
            return real(path, *arguments)

        monkeypatch.setattr(module, name, counting)

    count(fingerprint, "sha256_of", "hashed")
    count(probe, "check_content", "probed")
    return counted


def of_uploads(work: Counter[str]) -> dict[str, int]:
    """Without what is written and read back: the finished clip."""
    return {what: count for what, count in work.items() if what.endswith(("talk.wav", "anna.mp4"))}


@pytest.fixture
def uploads(data: DataFolders, material: Path) -> DataFolders:
    shutil.copy(material / "voice.wav", data.voices / "talk.wav")
    shutil.copy(material / "presenter.mp4", data.presenters / "anna.mp4")
    return data


def test_one_call_hashes_and_probes_each_file_once(uploads: DataFolders, work: Counter[str], tmp_path: Path) -> None:
    generate_clip(uploads.voices / "talk.wav", uploads.presenters / "anna.mp4", tmp_path / "clip.mp4")
    assert of_uploads(work) == {"hashed talk.wav": 1, "hashed anna.mp4": 1, "probed talk.wav": 1, "probed anna.mp4": 1}


def test_a_clip_of_the_graph_hashes_nothing_and_probes_each_file_once(uploads: DataFolders, work: Counter[str]) -> None:
    with open_instance(data_folders()) as instance:
        take_in_uploads(instance, data_folders())
        work.clear()
        materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(uploads, settings()))
        assert materializer.run(["audio_features"], "talk") is None
        assert materializer.run(["face_tracks"], "anna") is None
        analysing = of_uploads(work)
        work.clear()
        assert materializer.run(CLIP, multi_partition_key(ClipKey("talk", "anna"))) is None
        assert analysing == {"hashed talk.wav": 1, "hashed anna.mp4": 1, "probed talk.wav": 1, "probed anna.mp4": 1}
    assert of_uploads(work) == {"probed talk.wav": 1, "probed anna.mp4": 1}


def test_an_upload_that_was_only_touched_is_read_once_more(uploads: DataFolders, work: Counter[str]) -> None:
    path = uploads.voices / "talk.wav"
    voice = analyse_voice(path)
    voice.require_unchanged()
    assert work["hashed talk.wav"] == 1
    utime(path, ns=(0, 0))
    voice.require_unchanged()
    voice.require_unchanged()
    assert work["hashed talk.wav"] == 2


def test_an_upload_of_other_content_is_told_apart_even_with_the_same_size_and_time(uploads: DataFolders) -> None:
    path = uploads.voices / "talk.wav"
    voice, before = analyse_voice(path), path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(UploadReplaced):
        voice.require_unchanged()


def test_what_an_earlier_version_stored_is_compared_by_its_content(
    uploads: DataFolders, work: Counter[str], tmp_path: Path
) -> None:
    path, stored = uploads.voices / "talk.wav", tmp_path / "stored.parquet"
    save_voice(analyse_voice(path), stored)
    assert load_voice(stored, path).state
    table = pq.read_table(stored)
    earlier = {key: value for key, value in (table.schema.metadata or {}).items() if key != b"state"}
    pq.write_table(table.replace_schema_metadata(earlier), stored)
    voice = load_voice(stored, path)
    work.clear()
    voice.require_unchanged()
    assert work == {"hashed talk.wav": 1}
    write_voice(path, 1.0)
    with pytest.raises(UploadReplaced):
        voice.require_unchanged()
