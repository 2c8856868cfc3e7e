"""Which bucket is a cluster's, and what of it is never touched."""

import os
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest

from heygem_pipeline.errors import ClusterUnusable
from heygem_pipeline.operations.cluster_identity import announce, announced, identity_of
from heygem_pipeline.operations.retention_files import removable_objects
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.bucket_server import BucketServer
from heygem_pipeline_tests.conftest import data_folder_at
from heygem_pipeline_tests.postgres_server import PostgresServer

pytestmark = pytest.mark.server

DAY = 24 * 3600.0


@pytest.fixture
def name(bucket: BucketServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Of a new bucket, which what is made from here on uses."""
    address = bucket.create(tmp_path.name)
    bucket.use(address, monkeypatch)
    return address.removeprefix("s3://")


@pytest.fixture
def cluster(
    name: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[DataFolders]:
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name))
    with data_folder_at(tmp_path / "one") as folders:
        yield folders


def test_a_second_cluster_does_not_take_the_bucket_of_another(
    cluster: DataFolders, name: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    announce(cluster)
    identity = identity_of(cluster)
    announce(cluster)
    known = announced(cluster)
    assert known is not None and known.folder == identity == identity_of(cluster)
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(f"{tmp_path.name}-two"))
    with data_folder_at(tmp_path / "two") as other:
        with pytest.raises(ClusterUnusable, match="another cluster") as told:
            announce(other)
        assert f"s3://{name}/state/cluster-id" in str(told.value)
        assert announced(other) is None and list(other.state.glob("cluster-id")) == []
    assert identity_of(cluster) == identity


def test_of_a_bucket_only_what_runs_of_the_cluster_left_is_removed(
    cluster: DataFolders, name: str, bucket: BucketServer
) -> None:
    left, theirs = "outputs/one/half.mp4", "photos/holiday.jpg"
    for key in (left, theirs):
        bucket.client.put_object(Bucket=name, Key=key, Body=b"content")
    assert removed(cluster) == 0
    announce(cluster)
    set_up(cluster, time() + 3600)
    assert removed(cluster) == 0
    set_up(cluster, time() - 3600)
    assert removed(cluster) == 1
    assert bucket.keys(name) == [theirs, "state/cluster-id"]


def removed(cluster: DataFolders) -> int:
    """How much is, two days later."""
    return [one.remove() for one in removable_objects(cluster, time() + 2 * DAY)].count(True)


def set_up(cluster: DataFolders, when: float) -> None:
    """Have the cluster be set up then."""
    os.utime(cluster.cluster_identity, (when, when))
    cluster.files.publish(cluster.cluster_identity)
