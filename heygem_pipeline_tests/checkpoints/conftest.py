from collections.abc import Iterator
from pathlib import Path

import pytest

from heygem_pipeline.settings import settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of checkpoints, not made yet; nothing is downloaded, nothing acknowledged."""
    monkeypatch.setenv("HEYGEM_CHECKPOINTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HEYGEM_DOWNLOADS", "false")
    monkeypatch.delenv("HEYGEM_ACKNOWLEDGED_LICENCES", raising=False)
    settings.cache_clear()
    yield tmp_path / "weights"
    settings.cache_clear()
