"""Uploads and their keys: told apart, kept, freed."""

import json
import os
from pathlib import Path

import pytest

from heygem_pipeline.errors import UploadMissing
from heygem_pipeline.storage.fingerprint import fingerprint
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads import registry as subject
from heygem_pipeline.uploads.registry import UploadKind, Uploads


@pytest.fixture
def uploads(data: DataFolders) -> Uploads:
    return Uploads(data)


def drop(uploads: Uploads, name: str) -> Path:
    path = uploads.folder(UploadKind.VOICE) / name
    path.write_bytes(b"sound")
    return path


def test_a_link_out_of_the_data_folder_is_no_upload_also_where_it_took_an_uploads_place(
    uploads: Uploads, tmp_path: Path
) -> None:
    secret = tmp_path / "elsewhere.wav"
    secret.write_bytes(b"not for everybody")
    own = drop(uploads, "own.wav")
    (own.parent / "link.wav").symlink_to(secret)
    (own.parent / "twin.wav").symlink_to("own.wav")
    assert set(uploads.take_in(UploadKind.VOICE)) == {"own", "twin"}
    own.unlink()
    own.symlink_to(secret)
    with pytest.raises(UploadMissing):
        uploads.find(UploadKind.VOICE, "own")


def test_two_files_with_one_stem_get_two_keys(uploads: Uploads) -> None:
    first, second = drop(uploads, "lesson.mp3"), drop(uploads, "lesson.wav")
    assert uploads.take_in(UploadKind.VOICE) == {"lesson": first, "lesson (wav)": second}


def test_a_newcomer_does_not_take_a_known_files_key(uploads: Uploads) -> None:
    known = drop(uploads, "lesson.wav")
    uploads.take_in(UploadKind.VOICE)
    drop(uploads, "lesson.mp3")
    assert uploads.take_in(UploadKind.VOICE)["lesson"] == known


def test_names_that_differ_only_in_unsafe_characters_get_two_keys(uploads: Uploads) -> None:
    drop(uploads, "a,b.wav")
    drop(uploads, "a|b.wav")
    assert sorted(uploads.take_in(UploadKind.VOICE)) == ["a_b", "a_b (wav)"]


def test_a_file_that_is_gone_frees_its_key(uploads: Uploads) -> None:
    drop(uploads, "lesson.wav")
    uploads.take_in(UploadKind.VOICE)
    (uploads.folder(UploadKind.VOICE) / "lesson.wav").unlink()
    assert uploads.take_in(UploadKind.VOICE) == {}
    with pytest.raises(UploadMissing, match="lesson"):
        uploads.find(UploadKind.VOICE, "lesson")


def test_downloads_under_way_and_foreign_files_are_passed_over(uploads: Uploads) -> None:
    for name in (".hidden.wav", "~open.wav", "lesson.wav.part", "notes.txt", "a.crdownload", "lesson.part.wav"):
        drop(uploads, name)
    assert uploads.take_in(UploadKind.VOICE) == {}


@pytest.mark.parametrize("name", ["第一课.wav", "🎉 party.wav", "x" * 200 + ".wav", "-rf $(rm).wav", "a'b\"c.wav"])
def test_any_file_name_is_taken_in_and_found_again(uploads: Uploads, name: str) -> None:
    path = drop(uploads, name)
    (key,) = uploads.take_in(UploadKind.VOICE)
    assert uploads.find(UploadKind.VOICE, key) == path


def test_a_name_in_another_encoding_is_taken_in_like_any_other(uploads: Uploads) -> None:
    name = "课程.wav".encode("gbk").decode("utf-8", "surrogateescape")
    path = drop(uploads, name)
    (key,) = uploads.take_in(UploadKind.VOICE)
    key.encode()
    assert uploads.find(UploadKind.VOICE, key) == path


def test_no_key_is_the_name_of_another_keys_delivery(uploads: Uploads) -> None:
    drop(uploads, "lesson.wav")
    drop(uploads, "lesson.zip.wav")
    keys = uploads.take_in(UploadKind.VOICE)
    assert {uploads.folders.delivery(key).name for key in keys}.isdisjoint(keys)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose content is read, as they are read."""
    names: list[str] = []
    real = subject.fingerprint

    def remembering(path: Path) -> str:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(subject, "fingerprint", remembering)
    return names


def test_an_unchanged_file_is_not_read_again(uploads: Uploads, read: list[str]) -> None:
    drop(uploads, "lesson.wav")
    uploads.take_in(UploadKind.VOICE)
    known = uploads.known(UploadKind.VOICE)
    uploads.take_in(UploadKind.VOICE)
    assert read == ["lesson.wav"] and uploads.known(UploadKind.VOICE) == known


def test_a_replaced_file_has_a_new_fingerprint_from_now_on_and_a_touched_one_has_not(uploads: Uploads) -> None:
    path = drop(uploads, "lesson.wav")
    uploads.take_in(UploadKind.VOICE)
    first = uploads.known(UploadKind.VOICE)["lesson"]
    os.utime(path, (1, 1))
    uploads.take_in(UploadKind.VOICE)
    touched = uploads.known(UploadKind.VOICE)["lesson"]
    assert (touched.fingerprint, touched.since, touched.modified) == (first.fingerprint, first.since, 10**9)
    path.write_bytes(b"other")
    uploads.take_in(UploadKind.VOICE)
    replaced = uploads.known(UploadKind.VOICE)["lesson"]
    assert replaced.fingerprint != first.fingerprint and replaced.since > first.since


def test_what_is_not_ready_is_not_read(uploads: Uploads, read: list[str]) -> None:
    known, new = drop(uploads, "known.wav"), drop(uploads, "new.wav")
    new.rename(new.with_suffix(".later"))
    uploads.take_in(UploadKind.VOICE)
    before = uploads.known(UploadKind.VOICE)
    new.with_suffix(".later").rename(new)
    known.write_bytes(b"half of someth")
    assert uploads.take_in(UploadKind.VOICE, lambda path: False) == {"known": known}
    assert read == ["known.wav"] and uploads.known(UploadKind.VOICE) == before
    assert list(uploads.take_in(UploadKind.VOICE, lambda path: path == new)) == ["known", "new"]
    assert read == ["known.wav", "new.wav"]


def test_a_file_written_to_while_it_is_read_is_read_again(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(uploads, "lesson.wav")
    real = subject.fingerprint

    def growing(path: Path) -> str:
        content = real(path)
        path.write_bytes(b"sound and more")
        return content

    with monkeypatch.context() as patch:
        patch.setattr(subject, "fingerprint", growing)
        uploads.take_in(UploadKind.VOICE)
    uploads.take_in(UploadKind.VOICE)
    assert uploads.known(UploadKind.VOICE)["lesson"].fingerprint == real(path)


def test_a_register_of_an_earlier_version_keeps_its_keys(uploads: Uploads) -> None:
    path = drop(uploads, "lesson.wav")
    register = uploads.folders.state / "uploads.json"
    register.write_text(json.dumps({"audio": {"my lesson": "lesson.wav"}}))
    assert uploads.find(UploadKind.VOICE, "my lesson") == path
    assert uploads.take_in(UploadKind.VOICE) == {"my lesson": path}
    assert uploads.known(UploadKind.VOICE)["my lesson"].size == 5


def test_of_many_files_only_those_that_changed_are_read(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        drop(uploads, f"lesson {number}.wav")
    assert len(uploads.take_in(UploadKind.VOICE)) == 300
    read: list[str] = []

    def noted(path: Path) -> str:
        read.append(path.name)
        return fingerprint(path)

    monkeypatch.setattr(subject, "fingerprint", noted)
    uploads.take_in(UploadKind.VOICE)
    assert read == []
    (uploads.folder(UploadKind.VOICE) / "lesson 7.wav").write_bytes(b"other sound")
    uploads.take_in(UploadKind.VOICE)
    assert read == ["lesson 7.wav"]
