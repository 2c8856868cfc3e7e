"""The first look at uploads, by a worker process."""

import asyncio
import json
import os
from functools import partial
from pathlib import Path
from sqlite3 import OperationalError
from time import monotonic, sleep

import pytest
from starlette.testclient import TestClient

from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import DEFAULTS, Settings
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio import first_look
from heygem_pipeline.studio.first_look import FirstLook, record_of
from heygem_pipeline.studio.first_look_worker import FirstLooks
from heygem_pipeline.uploads.registry import UploadKind
from heygem_pipeline_tests.conftest import write_voice
from heygem_pipeline_tests.house import House


@pytest.fixture
def first_looks_in_a_thread() -> None:
    """Not here: the worker process is what is tested."""


async def _seen_once(data: DataFolders, voice: Path, new: bool = False) -> FirstLook | None:
    """What is known of a voice once nothing is looked at any more."""
    first_looks = FirstLooks(data, DEFAULTS)
    first_looks.want(UploadKind.VOICE, voice, new)
    while first_looks.busy:
        await asyncio.sleep(0.05)
    first_looks.end()
    return first_looks.known(UploadKind.VOICE, voice)


def breaks_off(_kind: UploadKind, _path: Path, _place: Path, _settings: Settings) -> FirstLook:
    raise ZeroDivisionError


def dies(_kind: UploadKind, _path: Path, _place: Path, _settings: Settings) -> FirstLook:
    os._exit(1)


@pytest.mark.parametrize("looking", [breaks_off, dies])
def test_a_look_that_breaks_off_is_not_begun_again_and_again(
    looking: object, data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem_pipeline.studio.first_look_worker.examine", looking)
    voice = data.voices / "one.wav"
    voice.write_bytes(b"voice")
    seen = asyncio.run(_seen_once(data, voice))
    assert seen is not None and seen.refused is None and seen.seconds is None


def loses_the_database(_folders: DataFolders, _path: Path, _photographs_move: bool) -> None:
    raise OperationalError("database is locked")


def test_a_file_that_gets_no_key_yet_is_looked_at_all_the_same(
    data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem_pipeline.studio.first_look_worker.take_in", loses_the_database)
    monkeypatch.setattr("heygem_pipeline.studio.first_look_worker.examine", looks_long)
    voice = data.voices / "one.wav"
    voice.write_bytes(b"voice")
    seen = asyncio.run(_seen_once(data, voice, new=True))
    assert seen is not None and seen.seconds == 2.0


def looks_long(_kind: UploadKind, path: Path, _place: Path, _settings: Settings) -> FirstLook:
    if path.name.startswith("slow"):
        sleep(60)
    return FirstLook(path.stat().st_size, path.stat().st_mtime_ns, 2.0)


def takes_all_memory(_kind: UploadKind, path: Path, _place: Path, _settings: Settings) -> FirstLook:
    held = bytearray(8 * 2**30)
    return FirstLook(len(held), path.stat().st_mtime_ns, 2.0)


def test_a_file_that_is_looked_at_for_long_does_not_keep_others_waiting(
    data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem_pipeline.studio.first_look_worker.examine", looks_long)
    monkeypatch.setattr("heygem_pipeline.studio.first_look_worker.PATIENCE_SECONDS", 0.2)
    names = "slow 1.wav", "slow 2.wav", "quick.wav"
    for name in names:
        (data.voices / name).write_bytes(b"voice")

    async def look() -> float:
        first_looks = FirstLooks(data, DEFAULTS)
        for name in names:
            first_looks.want(UploadKind.VOICE, data.voices / name)
        began = monotonic()
        while first_looks.known(UploadKind.VOICE, data.voices / "quick.wav") is None:
            await asyncio.sleep(0.05)
            assert monotonic() - began < 30
        assert first_looks.busy
        first_looks.end()
        return monotonic() - began

    asyncio.run(look())


def ends_in_a_moment(_kind: UploadKind, path: Path, _place: Path, _settings: Settings) -> FirstLook:
    first_look.SECONDS = 1
    return first_look.in_limited_time(partial(looks_long, _kind, path, _place, _settings))


def computes_without_end(_kind: UploadKind, _path: Path, _place: Path, _settings: Settings) -> FirstLook:
    first_look.PROCESSOR_SECONDS = 1

    def turns() -> FirstLook:
        while True:
            pass

    return first_look.in_limited_time(turns)


@pytest.mark.parametrize("looking", [ends_in_a_moment, computes_without_end, takes_all_memory])
def test_a_look_has_a_limit_of_time_and_of_memory(
    looking: object, data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem_pipeline.studio.first_look_worker.examine", looking)
    voice = data.voices / "slow.wav"
    voice.write_bytes(b"voice")
    began = monotonic()
    seen = asyncio.run(_seen_once(data, voice))
    assert monotonic() - began < 30
    assert seen is not None and seen.seconds is None
    assert [warning.code for warning in seen.warnings] == ["upload.not_looked_at"]


@pytest.mark.long
def test_a_new_file_is_looked_at_within_seconds(studio: TestClient, house: House) -> None:
    write_voice(house.folders.root / "made.wav", 1.5)
    studio.put("/api/v1/voices/spoken.wav", content=(house.folders.root / "made.wav").read_bytes())
    deadline = monotonic() + 120
    while True:
        assert monotonic() < deadline
        seen = {voice["file"]: voice for voice in studio.get("/api/shown").json()["voices"]}
        if seen.get("spoken.wav", {}).get("examined"):
            break
        sleep(0.1)
    assert seen["spoken.wav"]["key"] == "spoken" and seen["spoken.wav"]["seconds"] == 1.5
    # What is no sound at all is told at once, too.
    while not seen["one.wav"]["examined"]:
        assert monotonic() < deadline
        sleep(0.1)
        seen = {voice["file"]: voice for voice in studio.get("/api/shown").json()["voices"]}
    assert "one.wav" in seen["one.wav"]["doubt"]["sentence"]


def test_what_an_earlier_version_saw_counts_as_not_looked_at(data: DataFolders) -> None:
    voice = data.voices / "one.wav"
    voice.write_bytes(b"voice")
    status = voice.stat()
    record = record_of(data.first_look(UploadKind.VOICE, voice.name))
    record.parent.mkdir(parents=True)
    quiet = FirstLook(status.st_size, status.st_mtime_ns, 2.0, warnings=[Message("speech.quiet", level=-40.0)])
    record.write_text(json.dumps(quiet.as_json()))
    assert FirstLooks(data, DEFAULTS).known(UploadKind.VOICE, voice) == quiet
    earlier = {"refused": ["NoFace", "No face."], "warnings": [], "trouble": True}
    for old in (earlier, earlier | {"refused": None}, {"warnings": ["It is quiet."]}):
        record.write_text(json.dumps(quiet.as_json() | old))
        assert FirstLooks(data, DEFAULTS).known(UploadKind.VOICE, voice) is None
