"""Uploads and their keys: told apart, kept, freed."""

from pathlib import Path

import pytest

from heygem_pipeline.assets.uploads import UploadKind, Uploads
from heygem_pipeline.errors import UploadMissing
from heygem_pipeline.storage.folders import DataFolders


@pytest.fixture
def uploads(data: DataFolders) -> Uploads:
    return Uploads(data)


def drop(uploads: Uploads, name: str) -> Path:
    path = uploads.folder(UploadKind.AUDIO) / name
    path.write_bytes(b"sound")
    return path


def test_two_files_with_one_stem_get_two_keys(uploads: Uploads) -> None:
    first, second = drop(uploads, "lesson.mp3"), drop(uploads, "lesson.wav")
    assert uploads.take_in(UploadKind.AUDIO) == {"lesson": first, "lesson (wav)": second}


def test_a_newcomer_does_not_take_a_known_files_key(uploads: Uploads) -> None:
    known = drop(uploads, "lesson.wav")
    uploads.take_in(UploadKind.AUDIO)
    drop(uploads, "lesson.mp3")
    assert uploads.take_in(UploadKind.AUDIO)["lesson"] == known


def test_names_that_differ_only_in_unsafe_characters_get_two_keys(uploads: Uploads) -> None:
    drop(uploads, "a,b.wav")
    drop(uploads, "a|b.wav")
    assert sorted(uploads.take_in(UploadKind.AUDIO)) == ["a_b", "a_b (wav)"]


def test_a_file_that_is_gone_frees_its_key(uploads: Uploads) -> None:
    drop(uploads, "lesson.wav")
    uploads.take_in(UploadKind.AUDIO)
    (uploads.folder(UploadKind.AUDIO) / "lesson.wav").unlink()
    assert uploads.take_in(UploadKind.AUDIO) == {}
    with pytest.raises(UploadMissing, match="lesson"):
        uploads.find(UploadKind.AUDIO, "lesson")


def test_downloads_under_way_and_foreign_files_are_passed_over(uploads: Uploads) -> None:
    for name in (".hidden.wav", "~open.wav", "lesson.wav.part", "notes.txt", "lesson.wav.crdownload"):
        drop(uploads, name)
    assert uploads.take_in(UploadKind.AUDIO) == {}


@pytest.mark.parametrize("name", ["第一课.wav", "🎉 party.wav", "x" * 200 + ".wav", "-rf $(rm).wav", "a'b\"c.wav"])
def test_any_file_name_is_taken_in_and_found_again(uploads: Uploads, name: str) -> None:
    path = drop(uploads, name)
    (key,) = uploads.take_in(UploadKind.AUDIO)
    assert uploads.find(UploadKind.AUDIO, key) == path


def test_a_name_in_another_encoding_is_taken_in_like_any_other(uploads: Uploads) -> None:
    name = "课程.wav".encode("gbk").decode("utf-8", "surrogateescape")
    path = drop(uploads, name)
    (key,) = uploads.take_in(UploadKind.AUDIO)
    key.encode()
    assert uploads.find(UploadKind.AUDIO, key) == path


def test_no_key_is_the_name_of_another_keys_delivery(uploads: Uploads) -> None:
    drop(uploads, "lesson.wav")
    drop(uploads, "lesson.zip.wav")
    keys = uploads.take_in(UploadKind.AUDIO)
    assert {uploads.folders.delivery(key).name for key in keys}.isdisjoint(keys)
