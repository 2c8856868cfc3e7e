"""What is promised of files that every machine sees alike: of a data folder, and of a bucket."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import time
from typing import Any

import pytest
from urllib3 import HTTPResponse

from heygem_pipeline.errors import BucketUnreachable
from heygem_pipeline.settings import settings
from heygem_pipeline.storage import bucket_files
from heygem_pipeline.storage.atomic import WRITER
from heygem_pipeline.storage.bucket_files import BucketFiles
from heygem_pipeline.storage.file_store import LocalFiles
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline_tests.bucket_server import BucketServer
from heygem_pipeline_tests.conftest import data_folder_at
from heygem_pipeline_tests.postgres_server import PostgresServer


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.server)])
def folders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DataFolders]:
    if request.param == "bucket":
        request.getfixturevalue("in_bucket")
    with data_folder_at(tmp_path / "one") as folders:
        yield folders


@pytest.fixture
def in_bucket(bucket: BucketServer, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is made from here on uses a new bucket, below a folder of it."""
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name))
    bucket.use(f"{bucket.create(bucket_name(tmp_path))}/课/of it", monkeypatch)


def bucket_name(tmp_path: Path) -> str:
    return tmp_path.name.replace("_", "-").lower()


@pytest.fixture
def machines(in_bucket: None, tmp_path: Path) -> Iterator[tuple[DataFolders, DataFolders]]:
    """Two machines of a cluster."""
    with ExitStack() as stack:
        yield (
            stack.enter_context(data_folder_at(tmp_path / "one")),
            stack.enter_context(data_folder_at(tmp_path / "two")),
        )


def written(folders: DataFolders, path: Path, content: str = "content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    folders.files.publish(path)
    return path


def test_a_file_is_found_listed_and_read_by_its_path(folders: DataFolders) -> None:
    files = folders.files
    clip = written(folders, folders.outputs / "课" / "张 %1.mp4", "0123456789")
    assert files.find(folders.outputs / "课" / "other.mp4") is None
    found = files.find(clip)
    assert found is not None and (found.path, found.size) == (clip, 10)
    assert files.names(clip.parent) == ["张 %1.mp4"] and files.names(folders.outputs / "gone") == []
    assert files.folders(folders.outputs) == ["课"] and files.folders(folders.root / "gone") == []
    assert files.below(folders.outputs) == [found]
    assert files.fetch(clip).read_text() == "0123456789"
    assert b"".join(files.read(clip, 2, 5)) == b"234" and b"".join(files.read(clip, 3, 3)) == b""
    assert files.address(clip).endswith("outputs/课/张 %1.mp4")


def test_names_that_only_begin_alike_are_not_in_a_folder(folders: DataFolders) -> None:
    for name in ("a", "a.b", "a0", "a b"):
        written(folders, folders.outputs / name / "clip.mp4")
    assert [one.path.parent.name for one in folders.files.below(folders.outputs / "a")] == ["a"]
    assert folders.files.folders(folders.outputs) == ["a", "a b", "a.b", "a0"]
    assert set(folders.files.listings(folders.outputs, ["a", "a0", "gone"])) == {"a", "a0"}


def test_the_mark_of_a_folder_changes_with_its_files(folders: DataFolders) -> None:
    clip = written(folders, folders.outputs / "one" / "a.mp4", "first")

    def mark() -> int:
        return folders.files.listings(folders.outputs, ["one"])["one"].mark

    marks = [mark(), mark()]
    assert marks[0] == marks[1]
    clip.with_name(".new").write_text("other")
    clip.with_name(".new").replace(clip)
    folders.files.publish(clip)
    marks.append(mark())
    written(folders, clip.with_name("b.mp4"))
    marks.append(mark())
    folders.files.remove(clip)
    marks.append(mark())
    assert len(set(marks)) == 4


def test_what_is_removed_or_moved_is_gone_from_its_place(folders: DataFolders) -> None:
    files = folders.files
    report, mark = written(folders, folders.reports / "one" / "a.json"), folders.reports / "one" / "a.removed"
    files.move(report, mark)
    assert files.find(report) is None and files.fetch(mark).read_text() == "content"
    files.remove(mark)
    files.remove(mark)
    assert files.below(folders.reports) == []
    for missing in (lambda: files.fetch(mark), lambda: files.move(mark, report), lambda: files.copy(mark, report)):
        with pytest.raises(FileNotFoundError):
            missing()


def test_a_copy_takes_no_place_of_another(folders: DataFolders) -> None:
    files = folders.files
    clip, kept = (
        written(folders, folders.outputs / "one" / "a.mp4", "old"),
        folders.outputs / "one" / "earlier" / "a 1.mp4",
    )
    files.copy(clip, kept)
    clip.with_name(".new").write_text("new")
    clip.with_name(".new").replace(clip)
    files.publish(clip)
    with pytest.raises(FileExistsError):
        files.copy(clip, kept)
    assert files.fetch(kept).read_text() == "old" and files.fetch(clip).read_text() == "new"


@pytest.mark.server
@pytest.mark.parametrize("size", [10, 9 * 2**20])
def test_a_copy_takes_no_place_of_what_a_killed_run_left_in_the_bucket(
    machines: tuple[DataFolders, DataFolders], bucket: BucketServer, tmp_path: Path, size: int
) -> None:
    one, _ = machines
    clip, kept = written(one, one.outputs / "one" / "a.mp4", "x" * size), one.outputs / "one" / "earlier" / "a 1.mp4"
    left = {"Bucket": bucket_name(tmp_path), "Key": "课/of it/outputs/one/earlier/a 1.mp4"}
    bucket.client.put_object(**left, Body=b"left")
    with pytest.raises(FileExistsError):
        one.files.copy(clip, kept)
    assert one.files.find(kept) is None and bucket.client.get_object(**left)["Body"].read() == b"left"
    one.files.copy(clip, kept.with_name("a 2.mp4"))
    assert one.files.fetch(kept.with_name("a 2.mp4")).stat().st_size == size
    assert bucket.client.list_multipart_uploads(Bucket=left["Bucket"]).get("Uploads", []) == []


def not_known(asks: Callable[[Any], bool], only_if_absent: bool = False) -> list[str]:
    """The store answers such requests of this process as one that knows nothing of them; gives where they went."""
    response_of = pytest.importorskip("botocore.awsrequest").AWSResponse
    asked: list[str] = []

    def answer(request: Any, **_: object) -> Any:
        if not asks(request):
            return None
        asked.append(request.url)
        body = io.BytesIO(b"<Error><Code>NotImplemented</Code><Message>not implemented</Message></Error>")
        return response_of(request.url, 501, {}, HTTPResponse(body, preload_content=False))

    client = bucket_files._client_of(os.getpid(), bucket_files.ATTEMPTS, only_if_absent=only_if_absent)
    client.meta.events.register("before-send.s3", answer)
    return asked


@pytest.mark.server
def test_a_store_that_does_not_list_uploads_in_parts_is_cleaned_up_all_the_same(
    machines: tuple[DataFolders, DataFolders],
) -> None:
    one, _ = machines
    asked = not_known(lambda request: "?uploads" in request.url)
    assert isinstance(one.files, BucketFiles) and one.files.end_uploads(time()) == 0 and asked


@pytest.mark.server
def test_where_the_store_knows_no_conditions_the_row_says_what_is_taken(
    machines: tuple[DataFolders, DataFolders],
) -> None:
    one, _ = machines
    clip, kept = written(one, one.outputs / "one" / "a.mp4", "old"), one.outputs / "one" / "earlier" / "a 1.mp4"
    asked = not_known(lambda request: request.headers.get("If-None-Match") is not None, only_if_absent=True)
    one.files.copy(clip, kept)
    assert asked and one.files.fetch(kept).read_text() == "old"
    with pytest.raises(FileExistsError):
        one.files.copy(clip, kept)


@pytest.mark.server
def test_what_is_published_first_takes_no_place_of_what_another_cluster_has_there(
    machines: tuple[DataFolders, DataFolders], bucket: BucketServer, tmp_path: Path
) -> None:
    one, two = machines
    mark = one.state / "mark"
    mark.write_text("one")
    one.files.publish_first(mark)
    with pytest.raises(FileExistsError):
        one.files.publish_first(mark)
    assert two.files.fetch(two.state / "mark").read_text() == "one"
    bucket.client.put_object(Bucket=bucket_name(tmp_path), Key="课/of it/state/other", Body=b"another's")
    with pytest.raises(FileExistsError):
        one.files.publish_first(written_here(one.state / "other"))
    assert one.files.find(one.state / "other") is None


def written_here(path: Path) -> Path:
    path.write_text("ours")
    return path


@pytest.mark.server
def test_another_machine_reads_what_one_has_published(machines: tuple[DataFolders, DataFolders]) -> None:
    one, two = machines
    path = written(one, one.voice("课"), "features")
    other = two.files.fetch(two.voice("课"))
    assert other.read_text() == "features" and other.stat().st_mtime_ns == path.stat().st_mtime_ns
    other.write_text("spoilt here")
    assert two.files.fetch(other).read_text() == "features"
    written(one, path, "new features")
    assert two.files.fetch(other).read_text() == "new features"
    one.files.remove(path)
    with pytest.raises(FileNotFoundError):
        two.files.fetch(other)


@pytest.mark.server
def test_a_folder_is_refreshed_to_what_is_kept_of_the_names_that_are_wanted(
    machines: tuple[DataFolders, DataFolders],
) -> None:
    one, two = machines
    for name in ("anna.mp4", "anna.yaml", "bob.mp4"):
        written(one, one.presenters / name)
    two.files.refresh(two.presenters, lambda name: name.startswith("anna."))
    assert sorted(path.name for path in two.presenters.iterdir()) == ["anna.mp4", "anna.yaml"]
    one.files.remove(one.presenters / "anna.yaml")
    two.files.refresh(two.presenters, lambda name: name.startswith("anna."))
    assert [path.name for path in two.presenters.iterdir()] == ["anna.mp4"]


@pytest.mark.server
def test_copies_take_no_more_room_than_they_may_and_what_a_run_reads_stays(
    machines: tuple[DataFolders, DataFolders], monkeypatch: pytest.MonkeyPatch
) -> None:
    from heygem_pipeline.storage import scratch

    monkeypatch.setattr(scratch, "SECONDS_AT_HAND", -1.0)
    one, two = machines
    paths = [written(one, one.tracks(str(number)), "x" * 1000) for number in range(5)]
    little = BucketFiles(two.root, two.bucket, two.database, 2500)
    monkeypatch.setenv(WRITER, "a run")
    held = little.fetch(two.tracks("0"))
    monkeypatch.delenv(WRITER)
    for path in paths[1:]:
        little.fetch(two.root / path.relative_to(one.root))
    assert held.exists() and two.tracks("4").exists()
    assert len(list(held.parent.glob("*.parquet"))) == 2


@pytest.mark.server
def test_an_object_that_somebody_deleted_counts_as_not_made(
    machines: tuple[DataFolders, DataFolders], bucket: BucketServer, tmp_path: Path
) -> None:
    one, two = machines
    written(one, one.voice("one"))
    (key,) = bucket.keys(bucket_name(tmp_path))
    assert key == "课/of it/store/audio_features/one.parquet"
    bucket.client.delete_object(Bucket=bucket_name(tmp_path), Key=key)
    two.files.refresh(two.voice("one").parent, lambda _: True)
    assert one.files.find(one.voice("one")) is None and not two.voice("one").exists()


@pytest.mark.server
def test_a_bucket_that_does_not_answer_is_told_in_a_sentence(
    machines: tuple[DataFolders, DataFolders], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = machines
    path = written(one, one.voice("one"))
    nowhere = BucketFiles(one.root, "s3://there-is-none", one.database, 10**9)
    with pytest.raises(BucketUnreachable, match="cannot be used"):
        nowhere.publish(path)
    with pytest.raises(BucketUnreachable):
        nowhere.require_reachable()


def test_without_a_bucket_files_are_those_of_the_folder(tmp_path: Path) -> None:
    with data_folder_at(tmp_path):
        assert not os.environ["HEYGEM_BUCKET"] and isinstance(data_folders().files, LocalFiles)
        assert settings().bucket == ""
