"""Weights for the engine's tests. All of them need torch, which is an optional extra."""

import pytest

torch = pytest.importorskip("torch")

from heygem_pipeline.lipsync.wav2lip.network.model import Wav2LipNetwork  # noqa: E402
from heygem_pipeline_tests.lipsync.wav2lip.stand_in import ruled_weights  # noqa: E402


@pytest.fixture(scope="session")
def network() -> Wav2LipNetwork:
    """The network with weights by rule: what it draws is noise, but known noise."""
    made = Wav2LipNetwork()
    made.load_state_dict(ruled_weights())
    return made.eval().requires_grad_(False)
