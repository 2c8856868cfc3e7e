"""The first look at uploads, by a worker process."""

import asyncio
import os
from pathlib import Path

import pytest

from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio.first_look import FirstLook
from heygem_pipeline.studio.first_looks import FirstLooks
from heygem_pipeline.uploads.registry import UploadKind


def breaks_off(_kind: UploadKind, _path: Path, _place: Path) -> FirstLook:
    raise ZeroDivisionError


def dies(_kind: UploadKind, _path: Path, _place: Path) -> FirstLook:
    os._exit(1)


@pytest.mark.parametrize("looking", [breaks_off, dies])
def test_a_look_that_breaks_off_is_not_begun_again_and_again(
    looking: object, data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem_pipeline.studio.first_looks.examine", looking)
    voice = data.voices / "one.wav"
    voice.write_bytes(b"voice")

    async def look() -> FirstLook | None:
        first_looks = FirstLooks(data)
        first_looks.want(UploadKind.AUDIO, voice)
        while first_looks.busy:
            await asyncio.sleep(0.05)
        seen = first_looks.known(UploadKind.AUDIO, voice)
        first_looks.end()
        return seen

    seen = asyncio.run(look())
    assert seen is not None and seen.refused is None and seen.seconds is None
