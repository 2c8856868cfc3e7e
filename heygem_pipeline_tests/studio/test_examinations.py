"""The first look at uploads, by a worker process."""

import asyncio
import os
from pathlib import Path

import pytest

from heygem_pipeline.assets.uploads import UploadKind
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio.examinations import Examinations
from heygem_pipeline.studio.examine import Examined


def breaks_off(_kind: UploadKind, _path: Path, _place: Path) -> Examined:
    raise ZeroDivisionError


def dies(_kind: UploadKind, _path: Path, _place: Path) -> Examined:
    os._exit(1)


@pytest.mark.parametrize("looking", [breaks_off, dies])
def test_a_look_that_breaks_off_is_not_begun_again_and_again(
    looking: object, data: DataFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem_pipeline.studio.examinations.examine", looking)
    voice = data.voices / "one.wav"
    voice.write_bytes(b"voice")

    async def look() -> Examined | None:
        examinations = Examinations(data)
        examinations.want(UploadKind.AUDIO, voice)
        while examinations.busy:
            await asyncio.sleep(0.05)
        seen = examinations.known(UploadKind.AUDIO, voice)
        examinations.end()
        return seen

    seen = asyncio.run(look())
    assert seen is not None and seen.refused is None and seen.seconds is None
