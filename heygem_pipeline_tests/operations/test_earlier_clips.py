"""Clips that are kept beside those made in their place."""

import errno
import json
import os
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from time import time

import pytest
from starlette.testclient import TestClient

from heygem_pipeline.operations.earlier_clips import EarlierClip, earlier_of, keep_as_they_are
from heygem_pipeline.operations.erasure import ErasureTarget, erase, plan_erasure
from heygem_pipeline.operations.retention import prune
from heygem_pipeline.planning.requests import read_requests
from heygem_pipeline.planning.status import State
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.conftest import page, rules

ONE = ClipKey("one", "one")


@pytest.fixture
def finished(house: House) -> House:
    """A house in which ``one/one`` is finished, and wanted by a campaign."""
    (house.folders.campaigns / "autumn.yaml").write_text("voices: one\npresenters: '*'\n")
    house.make_inputs()
    house.make_clip("one", "one")
    house.folders.clip(ONE).write_bytes(b"as it was")
    return house


def made_anew(house: House, content: bytes) -> None:
    """Another clip under the same name, as a run writes it."""
    with atomic_path(house.folders.clip(ONE)) as temporary:
        temporary.write_bytes(content)


def change(client: TestClient, **what: object) -> int:
    return client.patch("/api/v1/batches/autumn", json={"beside": True} | what).status_code


def test_another_quality_is_made_beside_what_is_finished(finished: House) -> None:
    with page(finished, rules()) as client:
        assert change(client, quality="best") == 200
        assert finished.clip("one", "one").state is State.STALE and "one|one" in read_requests(finished.folders).clips
        made_anew(finished, b"as it is now")
        assert change(client, quality="small") == 200
        kept = earlier_of(finished.folders, ONE)
        assert [one.path(finished.folders).read_bytes() for one in kept] == [b"as it was", b"as it is now"]
        listed = client.get("/api/earlier/one/one").json()
        assert [one["number"] for one in listed] == [2, 1] and listed[1]["bytes"] == 9
        assert client.get("/api/shown").json()["clips"]["one|one"]["earlier"] == 2
        assert client.get("/files/earlier/one/one/1.mp4").content == b"as it was"
        assert client.get("/files/earlier/one/one/3.mp4").status_code == 404
        client.post("/api/earlier/delete", json={"voice": "one", "presenter": "one", "number": 2})
        assert [one.number for one in earlier_of(finished.folders, ONE)] == [1]


def test_instead_keeps_nothing_and_what_is_refused_neither(finished: House) -> None:
    with page(finished, rules()) as client:
        assert change(client, quality="golden") == 422 and change(client, quality="best", beside=False) == 200
    assert earlier_of(finished.folders, ONE) == []


def test_the_zip_holds_them_if_somebody_wishes(finished: House) -> None:
    keep_as_they_are(finished.folders, [ONE])
    made_anew(finished, b"as it is now")
    with page(finished, rules()) as client:
        plain, whole = (client.get(f"/archive.zip?batch=autumn{more}").content for more in ("", "&earlier="))
    assert zipfile.ZipFile(BytesIO(plain)).namelist() == ["one - one.mp4"]
    archive = zipfile.ZipFile(BytesIO(whole))
    assert set(archive.namelist()) == {"one - one.mp4", "one - one (earlier 1).mp4"}
    assert archive.read("one - one (earlier 1).mp4") == b"as it was"


def test_what_is_kept_is_not_kept_twice_nor_is_what_is_not_finished(finished: House) -> None:
    clips = [ONE, ClipKey("one", "two")]
    assert keep_as_they_are(finished.folders, clips) == [EarlierClip(ONE, 1)]
    assert keep_as_they_are(finished.folders, clips) == []


def test_where_there_are_no_hard_links_it_is_copied(finished: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    (kept,) = keep_as_they_are(finished.folders, [ONE])
    assert kept.path(finished.folders).read_bytes() == b"as it was"
    assert keep_as_they_are(finished.folders, [ONE]) == []


def test_names_with_spaces_and_numbers_are_told_apart(finished: House) -> None:
    clip = EarlierClip(ClipKey("one", "anna 1"), 11)
    assert EarlierClip.of_name("one", clip.path(finished.folders).stem) == clip
    assert all(
        EarlierClip.of_name("one", name) is None for name in ("anna", "anna ", "anna 0", "anna 01", "anna ²", "7")
    )


def test_nothing_becomes_stale_by_keeping_or_deleting_but_the_new_clip_itself(finished: House) -> None:
    finished.make_clip("one", "two")
    keep_as_they_are(finished.folders, [ONE])
    finished.make_delivery("one")
    with page(finished, rules()) as client:
        client.post("/api/earlier/delete", json={"voice": "one", "presenter": "one", "number": 1})
    assert finished.plan().deliveries["one"].state is State.DONE
    assert finished.clip("one", "one").state is State.DONE


def test_it_is_erased_with_its_clip_and_removed_for_its_age(finished: House, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_as_they_are(finished.folders, [ONE])
    monkeypatch.setenv("HEYGEM_KEEP_OUTPUTS_DAYS", "30")
    settings.cache_clear()
    assert prune(finished.instance, finished.folders, settings(), dry_run=True, now=time() + 29 * 86400) == []
    gone = prune(finished.instance, finished.folders, settings(), now=time() + 31 * 86400)
    assert {"earlier clips", "reports of earlier clips", "finished clips"} <= {kind.what for kind in gone}
    finished.make_clip("one", "one")
    keep_as_they_are(finished.folders, [ONE])
    whom = ErasureTarget("one", None)
    erase(finished.instance, finished.folders, plan_erasure(finished.instance, finished.folders, whom))
    assert not (finished.folders.outputs / "one").exists()
    assert not finished.folders.earlier_reports("one").exists()


def test_the_command_keeps_what_it_is_told_to(finished: House) -> None:
    said = heygem("keep", "--campaign", "autumn")
    assert said.exit_code == 0 and Path(said.stdout.strip()) == EarlierClip(ONE, 1).path(finished.folders)
    assert "No finished clip" in heygem("keep", "one/one").stdout and heygem("keep", "one/nobody").exit_code == 2


def test_a_report_tells_how_it_was_made(finished: House, material: Path, tmp_path: Path) -> None:
    from heygem_pipeline.clip.generate import generate_clip
    from heygem_pipeline.quality.report import write_report

    report = generate_clip(material / "voice.wav", material / "presenter.mp4", tmp_path / "c.mp4")
    write_report(
        replace(report, made_with=report.made_with | {"crf": 26, "preset": "medium"}), finished.folders.report(ONE)
    )
    keep_as_they_are(finished.folders, [ONE])
    with page(finished, rules()) as client:
        (told,) = client.get("/api/earlier/one/one").json()
        assert (told["quality"], told["engine"]) == ("small", "warp") and json.dumps(told)
