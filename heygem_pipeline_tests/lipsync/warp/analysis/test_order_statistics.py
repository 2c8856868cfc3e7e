"""To the bit what numpy says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.lipsync.warp.analysis.order_statistics import median, quantile

SEEDS = st.integers(0, 10_000)


@settings(deadline=None)
@given(seed=SEEDS, rows=st.integers(1, 40), kind=st.sampled_from(["float32", "float64", "uint8"]))
def test_median(seed: int, rows: int, kind: str) -> None:
    values = (255 * np.random.default_rng(seed).random((2, rows, 3))).astype(kind)
    for axis in (None, 0, 1, 2):
        expected, found = np.median(values, axis=axis), median(values, axis)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(1, 60), kind=st.sampled_from(["float32", "float64"]), share=st.floats(0, 1))
def test_quantile(seed: int, count: int, kind: str, share: float) -> None:
    values = np.random.default_rng(seed).random(count).astype(kind)
    expected, found = np.quantile(values, share), quantile(values, share)
    assert (found, found.dtype) == (expected, expected.dtype)


@pytest.mark.parametrize("share", [0.0, 0.15, 0.5, 0.97, 1.0])
def test_quantile_of_a_picture(share: float) -> None:
    picture = np.random.default_rng(0).random((30, 41)).astype(np.float32)
    assert quantile(picture, share) == np.quantile(picture, share)
