import json
from pathlib import Path

import pytest

from heygem_pipeline.media.aigc import mark_tags, new_mark, read_aigc
from heygem_pipeline.settings import ClipSettings
from heygem_pipeline_tests.media.conftest import run_ffmpeg

FIELDS = ["Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"]


@pytest.fixture
def marked(moving: Path, tmp_path: Path) -> Path:
    path = tmp_path / "marked.mp4"
    mark = new_mark("clip-1", ClipSettings())
    tags = [part for key, value in mark_tags(mark).items() for part in ("-metadata", f"{key}={value}")]
    run_ffmpeg("-i", moving, "-c", "copy", *tags, "-movflags", "use_metadata_tags", path)
    return path


def test_the_mark_has_the_fields_of_the_standard_in_order() -> None:
    mark = json.loads(new_mark("clip-1", ClipSettings()).to_json())
    assert list(mark) == FIELDS
    assert (mark["Label"], mark["ProduceID"]) == ("1", "clip-1")


def test_producer_and_propagator_come_from_the_settings() -> None:
    made_with = ClipSettings(content_producer="某大学", content_propagator='x"y')
    mark = json.loads(new_mark("clip-1", made_with).to_json())
    assert (mark["ContentProducer"], mark["ContentPropagator"]) == ("某大学", 'x"y')


@pytest.mark.parametrize("options", [["-movflags", "use_metadata_tags"], []], ids=["with tags", "plain"])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_the_mark_survives_copying(options: list[str], suffix: str, marked: Path, tmp_path: Path) -> None:
    copied = tmp_path / f"copied.{suffix}"
    run_ffmpeg("-i", marked, "-c", "copy", *(options if suffix != "mkv" else []), copied)
    assert read_aigc(copied) == read_aigc(marked) == new_mark("clip-1", ClipSettings())


def test_a_file_without_a_mark_has_none(moving: Path, tmp_path: Path) -> None:
    commented = tmp_path / "commented.mp4"
    run_ffmpeg("-i", moving, "-c", "copy", "-metadata", "comment=[1, 2]", commented)
    assert read_aigc(moving) is None
    assert read_aigc(commented) is None
