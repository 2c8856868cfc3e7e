"""The peaks are those that scipy finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.speech.peaks import find_peaks


def reference(curve: np.ndarray, distance: int, prominence: float) -> np.ndarray:
    from scipy.signal import find_peaks

    return find_peaks(curve, distance=distance, prominence=prominence)[0]


LEVELS = st.lists(st.sampled_from([-3.0, -1.0, 0.0, 0.5, 1.0, 2.0, 7.0]), max_size=60)


@settings(deadline=None)
@given(curve=LEVELS, prominence=st.sampled_from([0.0, 0.5, 2.0]))
def test_flat_tops_and_equal_heights(curve: list[float], prominence: float) -> None:
    expected = reference(np.array(curve), distance=1, prominence=prominence)
    np.testing.assert_array_equal(find_peaks(np.array(curve), 1, prominence), expected)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 400), apart=st.integers(1, 40))
def test_peaks_of_noise(seed: int, count: int, apart: int) -> None:
    noise = np.random.default_rng(seed).normal(size=count)
    curve = np.convolve(noise, np.hanning(5), mode="same") if count >= 5 else noise
    expected = reference(curve, distance=apart, prominence=0.7)
    np.testing.assert_array_equal(find_peaks(curve, apart, 0.7), expected)


@pytest.mark.parametrize("curve", [[], [1.0], [1.0, 2.0], [2.0, 2.0, 2.0], [0.0, 1.0, 1.0]])
def test_what_only_rises_or_stays_has_none(curve: list[float]) -> None:
    assert len(find_peaks(np.array(curve), 1, 0.0)) == 0
