"""The same of a cluster that keeps its files in a bucket: nothing of them lies on the machine of the page."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from heygem_pipeline.operations.earlier_clips import keep_as_they_are
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage import bucket_files
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.bucket_server import BucketServer
from heygem_pipeline_tests.conftest import data_folder_at, free_port
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.postgres_server import PostgresServer
from heygem_pipeline_tests.studio.conftest import page, rules

pytestmark = pytest.mark.server

CLIP = ClipKey("one", "one")
CONTENT = b"the clip of one"


@pytest.fixture
def stored(
    bucket: BucketServer, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[House]:
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name, "dagster"))
    bucket.use(bucket.create(tmp_path.name), monkeypatch)
    with data_folder_at(tmp_path / "data") as folders, open_instance(folders) as instance:
        house = House(folders, instance)
        house.make_inputs()
        house.make_clip("one", "one")
        for path in (folders.clip(CLIP), folders.filmstrip(CLIP), folders.delivery("one"), folders.preview(CLIP)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(CONTENT)
            folders.files.publish(path)
        shutil.rmtree(folders.outputs)
        shutil.rmtree(folders.root / "store")
        yield house


@pytest.fixture
def client(stored: House) -> Iterator[TestClient]:
    with page(stored, rules()) as client:
        yield client


def test_a_player_may_jump(client: TestClient) -> None:
    address = "/files/clips/one/one.mp4"
    whole = client.get(address)
    assert (whole.status_code, whole.content) == (200, CONTENT)
    assert whole.headers["accept-ranges"] == "bytes" and whole.headers["content-type"] == "video/mp4"
    assert "sandbox" in whole.headers["content-security-policy"]
    part = client.get(address, headers={"range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"clip")
    assert part.headers["content-range"] == f"bytes 4-7/{len(CONTENT)}"
    assert client.get(address, headers={"range": "bytes=-3"}).content == b"one"
    assert client.get(address, headers={"range": f"bytes={len(CONTENT)}-"}).status_code == 416
    known = {"range": "bytes=4-", "if-range": whole.headers["etag"]}
    assert client.get(address, headers=known).content == CONTENT[4:]
    assert client.get(address, headers=known | {"if-range": '"another"'}).content == CONTENT
    head = client.head(address)
    assert head.headers["content-length"] == str(len(CONTENT)) and head.content == b""
    assert client.get("/files/clips/one/two.mp4").status_code == 404


def test_a_store_that_does_not_answer_is_named_instead_of_a_torn_file(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    bucket_files._client_of.cache_clear()
    for address in ("/files/clips/one/one.mp4", "/archive.zip"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (503, "cluster.bucket_unreachable")
    assert client.get("/api/v1/clips/one/one/file").status_code == 503
    bucket_files._client_of.cache_clear()


def test_a_clip_that_was_deleted_in_the_store_is_not_there(client: TestClient, bucket: BucketServer) -> None:
    name = bucket.client.list_buckets()["Buckets"][-1]["Name"]
    for key in bucket.keys(name):
        bucket.client.delete_object(Bucket=name, Key=key)
    assert client.get("/files/clips/one/one.mp4").status_code == 404


def test_all_that_was_made_is_sent(client: TestClient) -> None:
    assert client.get("/files/strips/one/one.jpg").content == CONTENT
    assert client.get("/files/previews/one/one.mp4").content == CONTENT
    assert client.get("/api/v1/clips/one/one/file").content == CONTENT
    assert client.get("/api/v1/voices/one/clips.zip").content == CONTENT
    named = client.get("/files/clips/one/one.mp4?download").headers["content-disposition"]
    assert named.startswith("attachment") and "one%20-%20one.mp4" in named
    with zipfile.ZipFile(io.BytesIO(client.get("/archive.zip").content)) as archive:
        assert archive.testzip() is None and archive.read("one - one.mp4") == CONTENT


def test_a_clip_is_shown_as_made_and_its_earlier_one_stays(client: TestClient, stored: House) -> None:
    keep_as_they_are(stored.folders, [CLIP])
    stored.folders.clip(CLIP).parent.mkdir(parents=True)
    stored.folders.clip(CLIP).write_bytes(b"a new one")
    stored.folders.files.publish(stored.folders.clip(CLIP))
    clip = client.get("/api/shown").json()["clips"][CLIP.partition]
    assert (clip["state"], clip["earlier"]) == ("done", 1) and clip["mark"]
    assert client.get("/files/earlier/one/one/1.mp4").content == CONTENT
    assert client.get(f"/files/clips/one/one.mp4?v={clip['mark']}").content == b"a new one"
