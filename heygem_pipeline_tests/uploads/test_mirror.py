"""What people bring to the controller of a cluster with a bucket, as all its machines see it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from heygem_pipeline.errors import UploadMissing
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.mirror import bring_instructions, is_published, mirror
from heygem_pipeline.uploads.registry import UploadKind, Uploads, always
from heygem_pipeline_tests.bucket_server import BucketServer
from heygem_pipeline_tests.conftest import data_folder_at
from heygem_pipeline_tests.postgres_server import PostgresServer

pytestmark = pytest.mark.server


@pytest.fixture
def machines(
    bucket: BucketServer, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[DataFolders, DataFolders]]:
    """The controller, which has a presenter with a sidecar and a campaign, and another machine."""
    monkeypatch.setenv("HEYGEM_DATABASE", postgres.create(tmp_path.name))
    bucket.use(bucket.create(tmp_path.name), monkeypatch)
    with ExitStack() as stack:
        controller = stack.enter_context(data_folder_at(tmp_path / "controller"))
        (controller.presenters / "安娜.mp4").write_text("video")
        (controller.presenters / "安娜.yaml").write_text("tracker: mesh")
        (controller.campaigns / "all.yaml").write_text("name: all")
        yield controller, stack.enter_context(data_folder_at(tmp_path / "worker"))


def taken_in(folders: DataFolders) -> dict[str, Path]:
    mirror(folders, always)
    return Uploads(folders).take_in(UploadKind.PRESENTER)


def published(folders: DataFolders) -> list[str]:
    return [one.path.relative_to(folders.root).as_posix() for one in folders.files.below(folders.root)]


def test_a_run_elsewhere_finds_an_upload_with_what_stands_beside_it(machines: tuple[DataFolders, DataFolders]) -> None:
    controller, worker = machines
    taken_in(controller)
    assert published(controller) == ["campaigns/all.yaml", "templates/安娜.mp4", "templates/安娜.yaml"]
    bring_instructions(worker)
    assert (worker.campaigns / "all.yaml").read_text() == "name: all"
    assert [path.name for path in worker.presenters.iterdir()] == ["安娜.yaml"]
    assert Uploads(worker).bring(UploadKind.PRESENTER, "安娜").read_text() == "video"


def test_what_is_changed_or_deleted_is_so_everywhere(machines: tuple[DataFolders, DataFolders]) -> None:
    controller, worker = machines
    taken_in(controller)
    bring_instructions(worker)
    Uploads(worker).bring(UploadKind.PRESENTER, "安娜")
    (controller.presenters / "安娜.mp4").write_text("another video")
    (controller.presenters / "安娜.yaml").unlink()
    (controller.campaigns / "all.yaml").unlink()
    taken_in(controller)
    assert published(controller) == ["templates/安娜.mp4"]
    assert Uploads(worker).bring(UploadKind.PRESENTER, "安娜").read_text() == "another video"
    bring_instructions(worker)
    assert [path.name for path in worker.presenters.iterdir()] == ["安娜.mp4"]
    assert list(worker.campaigns.iterdir()) == []
    (controller.presenters / "安娜.mp4").unlink()
    taken_in(controller)
    with pytest.raises(UploadMissing):
        Uploads(worker).bring(UploadKind.PRESENTER, "安娜")


def test_an_upload_that_is_still_copied_is_seen_by_no_other_machine(machines: tuple[DataFolders, DataFolders]) -> None:
    controller, _ = machines
    mirror(controller, lambda _: False)
    assert published(controller) == ["campaigns/all.yaml", "templates/安娜.yaml"]
    assert not is_published(controller, controller.presenters / "安娜.mp4")
    mirror(controller, always)
    assert is_published(controller, controller.presenters / "安娜.mp4")


def test_a_controller_on_a_new_machine_has_what_the_old_one_had(machines: tuple[DataFolders, DataFolders]) -> None:
    old, new = machines
    before = taken_in(old)
    assert taken_in(new).keys() == before.keys() and published(new) == published(old)
    assert (new.presenters / "安娜.mp4").read_text() == "video" and (new.campaigns / "all.yaml").exists()
    # From here on it is the one whose folders count.
    (new.campaigns / "all.yaml").unlink()
    taken_in(new)
    assert "campaigns/all.yaml" not in published(old)


def test_a_folder_that_is_away_takes_nothing_out_of_the_bucket(machines: tuple[DataFolders, DataFolders]) -> None:
    controller, _ = machines
    taken_in(controller)
    before = published(controller)
    controller.presenters.rename(controller.root / "away")
    controller.presenters.mkdir()
    taken_in(controller)
    assert published(controller) == before
    assert Uploads(controller).away(UploadKind.PRESENTER) is not None


def test_a_name_that_is_no_text_keeps_nothing_else_from_being_seen(machines: tuple[DataFolders, DataFolders]) -> None:
    controller, _ = machines
    (controller.presenters / os.fsdecode(b"b\xff.mp4")).write_text("video")
    taken_in(controller)
    assert "templates/安娜.mp4" in published(controller)
    assert not is_published(controller, controller.presenters / os.fsdecode(b"b\xff.mp4"))
