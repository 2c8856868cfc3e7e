"""What is sent: clips and uploads, in pieces where asked for, and never anything else."""

import io
import logging
import zipfile
from pathlib import Path

import pytest
from dagster import DagsterEventType, DagsterRunStatus, EventLogEntry
from starlette.testclient import TestClient

from heygem_pipeline.runs.dagster_internals import DagsterEvent, SerializableErrorInfo, StepFailureData
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.studio.clip_log import without_paths
from heygem_pipeline.studio.download_names import names_of
from heygem_pipeline_tests.house import CLIP, House


def finished(house: House) -> None:
    house.make_inputs()
    for voice in ("one", "two"):
        house.make_clip(voice, "one")
        house.folders.clip(ClipKey(voice, "one")).write_bytes(f"the clip of {voice}".encode())


def test_a_player_may_jump(studio: TestClient, house: House) -> None:
    finished(house)
    answer = studio.get("/files/clips/one/one.mp4", headers={"range": "bytes=4-7"})
    assert (answer.status_code, answer.content) == (206, b"clip")
    assert answer.headers["content-type"] == "video/mp4"


def test_a_download_has_a_name_of_its_own(studio: TestClient, house: House) -> None:
    finished(house)
    assert "one%20-%20one.mp4" in studio.get("/files/clips/one/one.mp4?download").headers["content-disposition"]


def test_an_upload_is_shown_but_never_run(studio: TestClient, house: House) -> None:
    answer = studio.get("/files/voices/one")
    assert answer.content == b"voice one" and "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/files/clips/..%2F..%2Fstate/uploads.mp4",
        "/files/clips/../../state/uploads.json",
        "/files/clips/%2e%2e/%2e%2e.mp4",
        "/files/voices/..%2F..%2Fstate%2Fuploads.json",
        "/files/voices/one.wav",
        "/files/state/uploads.json",
        "/files/strips/..%2F/x.jpg",
        "/files/pictures/..%2F..%2Fx.jpg",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/api/v1/clips/..%2F/x",
    ],
)
def test_paths_outside_are_refused(studio: TestClient, house: House, path: str) -> None:
    answer = studio.get(path)
    assert answer.status_code == 404
    assert str(house.folders.root) not in answer.text


def test_a_batch_is_taken_away_as_a_zip(studio: TestClient, house: House) -> None:
    finished(house)
    answer = studio.get("/archive.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["one - one.mp4", "two - one.mp4"]
    for suffix in (".srt", ".vtt"):
        house.folders.voice_text("two", suffix).parent.mkdir(parents=True, exist_ok=True)
        house.folders.voice_text("two", suffix).write_text("Good morning.")
    with zipfile.ZipFile(io.BytesIO(studio.get("/archive.zip").content)) as archive:
        assert set(archive.namelist()) == {"one - one.mp4", "two - one.mp4", "two - one.srt", "two - one.vtt"}
    row = studio.get("/archive.zip", params={"voice": "two"})
    assert zipfile.ZipFile(io.BytesIO(row.content)).read("two - one.mp4") == b"the clip of two"
    assert studio.get("/archive.zip", params={"voice": "none"}).status_code == 404


def test_files_are_named_by_a_pattern(studio: TestClient, house: House) -> None:
    finished(house)
    (house.folders.campaigns / "autumn.yaml").write_text('title: "Autumn: 第一课"\nvoices: "*"\npresenters: one\n')
    asked = {"batch": "autumn", "names": "{presenter}/{batch}, {voice}"}
    answer = studio.get("/archive.zip", params=asked)
    named = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert named == ["one/Autumn_ 第一课, one.mp4", "one/Autumn_ 第一课, two.mp4"]
    assert "Autumn_%20%E7%AC%AC%E4%B8%80%E8%AF%BE.zip" in answer.headers["content-disposition"]
    alone = studio.get("/files/clips/two/one.mp4", params=asked | {"download": ""}).headers["content-disposition"]
    assert "%E7%AC%AC%E4%B8%80%E8%AF%BE%2C%20two.mp4" in alone


@pytest.mark.parametrize(
    "pattern",
    ["{voice}", "{presenter}", "../{voice} {presenter}", "/{voice}{presenter}", "{voice}{presenter}{x}", "a" * 300],
)
def test_a_pattern_that_tells_nothing_apart_or_leads_out_is_refused(studio: TestClient, pattern: str) -> None:
    answer = studio.get("/archive.zip", params={"names": pattern})
    assert (answer.status_code, answer.json()["refused"]) == (400, "pattern")


def test_names_that_would_be_one_are_numbered() -> None:
    clips = [ClipKey("a", "bc"), ClipKey("ab", "c")]
    assert [name for _, name in names_of(clips, "{voice}{presenter}", "")] == ["abc.mp4", "abc (2).mp4"]


def test_the_log_shows_no_path_of_this_machine(house: House) -> None:
    root = house.folders.root
    told = without_paths(f"Wrote {root}/outputs/a.mp4 by /usr/bin/ffmpeg, 3/4 done", root)
    assert told == "Wrote data/outputs/a.mp4 by ffmpeg, 3/4 done"


def test_nothing_shown_holds_a_path_of_this_machine(studio: TestClient, house: House) -> None:
    finished(house)
    assert str(house.folders.root.parent) not in studio.get("/api/shown").text


def test_what_has_not_changed_is_not_sent_again(studio: TestClient, house: House) -> None:
    first = studio.get("/api/shown")
    again = studio.get("/api/shown", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_log_tells_the_error_at_the_root_and_no_stack(studio: TestClient, house: House) -> None:
    run = house.run(CLIP, "one|one", DagsterRunStatus.FAILURE)
    place = f"{house.folders.root}/outputs/one/one.mp4"
    root = SerializableErrorInfo(f"IsADirectoryError: Is a directory: '{place}'\n", ["  in b\n"], "IsADirectoryError")
    error = SerializableErrorInfo("Exceeded max_retries of 1\n", ["  in a\n"], "RetryRequestedFromPolicy", cause=root)
    failed = DagsterEvent(
        DagsterEventType.STEP_FAILURE.value, "make_clip", event_specific_data=StepFailureData(error, None)
    )
    for said, event in (("Step failed.", failed), ("Finished.\nWell.\nIndeed.", None)):
        entry = EventLogEntry(None, logging.ERROR, said, run, 1.0, job_name="make_clip", dagster_event=event)
        house.instance.handle_new_event(entry)
    lines = studio.get("/api/v1/clips/one/one/log").json()["lines"]
    assert [line["message"] for line in lines] == [
        f"Step failed. IsADirectoryError: Is a directory: '{house.folders.root.name}/outputs/one/one.mp4'",
        "Finished. Well.",
    ]


def test_a_link_out_of_the_data_folder_is_not_served(studio: TestClient, house: House, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"not for everybody")
    clip = house.folders.clip(ClipKey("one", "anna"))
    clip.parent.mkdir(parents=True, exist_ok=True)
    clip.unlink(missing_ok=True)
    clip.symlink_to(secret)
    assert studio.get("/files/clips/one/anna.mp4").status_code == 404
    voice = next(house.folders.voices.iterdir())
    key = voice.stem
    assert studio.get(f"/files/voices/{key}").status_code == 200
    voice.unlink()
    voice.symlink_to(secret)
    assert studio.get(f"/files/voices/{key}").status_code == 404
