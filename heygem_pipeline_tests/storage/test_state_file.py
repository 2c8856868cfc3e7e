"""What of the data folder's small files cannot be read is set aside, and everything else goes on."""

import json
import logging
from pathlib import Path

import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.operations.retention import prune
from heygem_pipeline.planning.requests import ask_for, put_off, read_requests
from heygem_pipeline.planning.status import State
from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.studio.sessions import SECRET_BYTES, secret_of
from heygem_pipeline.uploads.voice_languages import languages_of, note_language
from heygem_pipeline_tests.house import CLIP, House

DAMAGED = (
    *(b"", b"\0" * 40, b'{"clips": [', b"[1, 2]", b"null"),
    *(b'{"clips": 3, "audio": 4}', b'{"audio": {"one": {"a": 1}}}'),
)


def aside(house: House, name: str) -> list[Path]:
    return sorted(house.folders.state.glob(f"{name}.damaged-*"))


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_requests_are_set_aside_with_a_sentence(
    house: House, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (house.folders.state / "requests.json").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        ask_for(house.folders, ["one|one"])
    assert read_requests(house.folders).clips == ["one|one"]
    assert [path.read_bytes() for path in aside(house, "requests.json")] == [content]
    assert "requests.json is damaged" in caplog.text


@pytest.mark.parametrize("content", [*DAMAGED[:6], b'{"audio": {"one": {"file": "../../x", "size": 1}}}'])
def test_a_damaged_register_of_uploads_is_made_anew_and_nothing_else_is(house: House, content: bytes) -> None:
    house.make_inputs()
    house.make_clip()
    put_off(house.folders, ["two|one"])
    house.run(CLIP, "two|two", DagsterRunStatus.CANCELED)
    before = {clip: status.state for clip, status in house.plan().clips.items()}
    (house.folders.state / "uploads.json").write_bytes(content)
    assert house.plan().clips == {}
    house.take_in()
    assert {clip: status.state for clip, status in house.plan().clips.items()} == before
    assert sorted(state.value for state in before.values()) == ["done", "failed", "failed", "ready"]
    assert len(aside(house, "uploads.json")) == 1


def test_damaged_languages_and_times_hold_nothing_up(house: House) -> None:
    for name in ("studio-languages.json", "gone.json"):
        (house.folders.state / name).write_bytes(b'{"one": []}')
    assert languages_of(house.folders) == {}
    note_language(house.folders, "one", "de")
    assert languages_of(house.folders) == {"one": "de"}
    prune(house.instance, house.folders, settings())
    assert len(aside(house, "gone.json")) == len(aside(house, "studio-languages.json")) == 1


def test_a_report_that_cannot_be_read_is_none(house: House) -> None:
    house.make_clip()
    for content in ("", "[]", '{"checks": 3, "warnings": []}', "null"):
        house.folders.report(ClipKey("one", "one")).write_text(content)
        assert finished_report(house.folders, ClipKey("one", "one")) is None


def test_the_damaged_log_of_one_run_holds_no_other_clip_up(house: House) -> None:
    house.make_inputs()
    run_id = house.run(CLIP, "one|one", DagsterRunStatus.FAILURE)
    (house.folders.state / "history" / "runs" / f"{run_id}.db").write_bytes(b"no database" * 1000)
    status = house.clip()
    assert status.state is State.FAILED and status.reason is not None and status.reason.code == "run.log_damaged"
    assert house.clip("two", "two").state is State.READY


def test_a_secret_that_was_cut_off_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    secret = secret_of(tmp_path / "secret")
    assert len(secret) == SECRET_BYTES and secret_of(tmp_path / "secret") == secret


def test_a_good_file_stays_where_it_is(house: House) -> None:
    ask_for(house.folders, ["one|one"])
    stored = json.loads((house.folders.state / "requests.json").read_text())
    assert stored["clips"] == ["one|one"] and read_requests(house.folders).clips == ["one|one"]
    assert not aside(house, "requests.json")
