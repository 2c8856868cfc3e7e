"""Presenters and weights for the engine's tests. All of them need torch, which is an optional extra."""

import pytest

from heygem_pipeline_tests.lipsync.warp.conftest import closed_lips, smile

torch = pytest.importorskip("torch")

from heygem_pipeline.lipsync.wav2lip.network.model import Wav2LipNetwork  # noqa: E402
from heygem_pipeline_tests.lipsync.wav2lip.stand_in import ruled_weights  # noqa: E402

__all__ = ["closed_lips", "smile"]


@pytest.fixture(scope="session")
def network() -> Wav2LipNetwork:
    """The network with weights by rule: what it draws is noise, but known noise."""
    made = Wav2LipNetwork()
    made.load_state_dict(ruled_weights())
    return made.eval().requires_grad_(False)
