"""They give what scipy gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.filters import (
    convolve,
    natural_cubic,
    savitzky_golay_filter,
    sliding_maximum,
    sliding_mean,
)

SEEDS = st.integers(0, 10_000)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(1, 40), size=st.integers(1, 60))
def test_sliding_mean_and_maximum(seed: int, count: int, size: int) -> None:
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    values = noise(seed, count)
    np.testing.assert_allclose(
        sliding_mean(values, size), uniform_filter1d(values, size, mode="nearest"), rtol=0, atol=1e-14
    )
    np.testing.assert_array_equal(sliding_maximum(values, size), maximum_filter1d(values, size, mode="nearest"))


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(1, 20), reach=st.integers(0, 6))
def test_convolve(seed: int, count: int, reach: int) -> None:
    from scipy.ndimage import convolve1d

    values, half = noise(seed, count, 3, 2), np.abs(noise(seed + 1, reach + 1))
    weights = np.concatenate([half, half[-2::-1]])
    expected = convolve1d(values, weights, axis=0, mode="nearest")
    np.testing.assert_array_equal(convolve(values, weights), expected)


@settings(deadline=None)
@given(seed=SEEDS, half=st.integers(1, 8), more=st.integers(0, 30), order=st.integers(0, 3))
def test_savitzky_golay(seed: int, half: int, more: int, order: int) -> None:
    from scipy.signal import savgol_filter

    window = 2 * half + 1
    order = min(order, window - 1)
    values = 300 + 50 * noise(seed, window + more, 2, 2)
    expected = np.asarray(savgol_filter(values, window, order, axis=0))
    np.testing.assert_allclose(savitzky_golay_filter(values, window, order), expected, rtol=1e-12)


@pytest.mark.parametrize("knots", [(0.0, 0.18, 0.37, 0.5, 0.63, 0.82, 1.0), (0.0, 0.3, 1.0), (0, 3, 5, 7, 10)])
def test_natural_cubic(knots: tuple[float, ...]) -> None:
    from scipy.interpolate import CubicSpline

    places = np.linspace(knots[0], knots[-1], 23)
    values = noise(1, len(knots), 2)
    expected = np.asarray(CubicSpline(np.array(knots), values, bc_type="natural")(places))
    np.testing.assert_allclose(natural_cubic(np.array(knots), places) @ values, expected, atol=1e-13)
