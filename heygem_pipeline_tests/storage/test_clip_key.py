"""The one way from a clip to its names and back."""

from pathlib import Path

import pytest

from heygem_pipeline.runs.partitions import multi_partition_key
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.storage.clip_key import ClipKey, label_of
from heygem_pipeline.storage.paths import DataFolders

CLIP = ClipKey("第一课 🎓", "Frau Müller")


def test_its_partition_key_leads_back_to_it_and_is_the_one_dagster_writes() -> None:
    assert CLIP.partition == "第一课 🎓|Frau Müller" == multi_partition_key(CLIP)
    assert ClipKey.from_partition(CLIP.partition) == ClipKey.from_partition(multi_partition_key(CLIP)) == CLIP
    assert Subject.of_clip(CLIP) == Subject(Stage.CLIP, CLIP.partition) and Subject.of_clip(CLIP).clip == CLIP


def test_people_read_it_as_its_file_lies_or_as_a_sentence_says_it() -> None:
    assert (CLIP.label, str(CLIP)) == ("第一课 🎓/Frau Müller", "第一课 🎓 x Frau Müller")
    assert label_of(CLIP.partition) == CLIP.label and label_of("第一课 🎓") == "第一课 🎓"


@pytest.mark.parametrize("name", ["lesson/anna", "lesson/anna.mp4", "lesson|anna"])
def test_people_may_name_it_as_a_label_a_file_or_as_dagster_does(name: str) -> None:
    assert ClipKey.from_label(name) == ClipKey("lesson", "anna")


@pytest.mark.parametrize("name", ["lesson", "lesson/", "/anna", ""])
def test_a_voice_or_presenter_alone_is_no_clip(name: str) -> None:
    assert ClipKey.from_label(name) is None


def test_its_files_lie_in_a_folder_a_voice() -> None:
    folders = DataFolders(Path("/data"))
    clip = ClipKey("lesson", "anna")
    assert [folders.clip(clip), folders.report(clip), folders.removed(clip), folders.filmstrip(clip)] == [
        Path("/data/outputs/lesson/anna.mp4"),
        Path("/data/store/clip_reports/lesson/anna.json"),
        Path("/data/store/clip_reports/lesson/anna.removed"),
        Path("/data/store/filmstrips/lesson/anna.jpg"),
    ]
    assert folders.patches(clip) == Path("/data/store/generated_frames/lesson/anna.parquet")


def test_clips_are_in_order_of_voice_then_presenter() -> None:
    keys = [ClipKey("b", "a"), ClipKey("a", "b"), ClipKey("a", "a")]
    assert sorted(keys) == [ClipKey("a", "a"), ClipKey("a", "b"), ClipKey("b", "a")]
