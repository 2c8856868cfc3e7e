"""The mel is Wav2Lip's, whatever the length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.speech import mel
from heygem_pipeline.speech.mel import log_mel

REFERENCE_POINTS = {
    (0, 0): -1.05129,
    (0, 10): -4.0,
    (0, 80): -0.78077,
    (5, 1): -0.33554,
    (10, 79): -1.60468,
    (20, 0): -3.67726,
    (20, 80): -1.4017,
    (40, 10): -0.38104,
    (40, 40): -3.78369,
    (60, 79): -1.91672,
    (79, 0): -1.84517,
    (79, 80): -1.97532,
}
"""(band, column) of the mel of ``sweep()``, computed step by step with librosa 0.11."""


def sweep() -> np.ndarray:
    t = np.arange(16000) / 16000
    pulsed = 0.4 * np.sin(2 * np.pi * 220 * t) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * t))
    return (pulsed + 0.1 * np.sin(2 * np.pi * 1760 * t * (1 + 0.1 * t))).astype(np.float32)


def test_it_is_the_mel_the_public_checkpoints_learnt_from() -> None:
    columns = log_mel(sweep())
    assert columns.shape == (81, 80)
    assert columns.mean() == pytest.approx(-3.4984973, abs=1e-4)
    for (band, column), value in REFERENCE_POINTS.items():
        assert columns[column, band] == pytest.approx(value, abs=1e-4)


@settings(deadline=None)
@given(count=st.integers(0, 3000), seed=st.integers(0, 99), scale=st.sampled_from([0, 1e-9, 0.1, 1, 1000]))
def test_any_sound_gives_a_row_every_200_samples_within_its_range(count: int, seed: int, scale: float) -> None:
    samples = (np.random.default_rng(seed).normal(size=count) * scale).astype(np.float32)
    rows = log_mel(samples)
    assert rows.shape == (1 + count // 200, 80)
    assert rows.dtype == np.float32
    assert np.all(np.abs(rows) <= 4)


def test_computing_it_in_blocks_leaves_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 16123).astype(np.float32)
    whole = log_mel(samples)
    monkeypatch.setattr(mel, "_BLOCK_COLUMNS", 7)
    np.testing.assert_allclose(log_mel(samples), whole, atol=1e-5)
