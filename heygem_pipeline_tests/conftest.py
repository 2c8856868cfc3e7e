"""What several subjects' tests need."""

from pathlib import Path

import pytest

REAL_CLIPS = Path(__file__).resolve().parents[2] / "shared" / "clips"


@pytest.fixture(scope="session")
def clips() -> Path:
    """Folder of real footage kept beside the project; never part of it."""
    if not REAL_CLIPS.is_dir():
        pytest.skip("the folder of real footage is not on this machine")
    return REAL_CLIPS
