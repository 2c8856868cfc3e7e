from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.faces.temporal_smoothing import fill_short_gaps, present_runs, savitzky_golay, window_length

presences = st.lists(st.booleans(), min_size=1, max_size=60).map(lambda flags: np.array(flags))


@settings(deadline=None)
@given(presences, st.sets(st.integers(0, 59)))
def test_runs_cover_every_present_frame_once_and_no_absent_one(present: np.ndarray, cuts: set[int]) -> None:
    covered = np.zeros(len(present), int)
    for run in present_runs(present, sorted(cuts)):
        covered[run] += 1
        assert not any(run.start < cut < run.stop for cut in cuts)
    assert (covered == present).all()


@settings(deadline=None)
@given(presences)
def test_a_parabola_stays_as_it_is_on_both_sides_of_gaps(present: np.ndarray) -> None:
    time = np.arange(len(present))
    values = np.where(present, 0.5 * time**2 - 3 * time + 1, np.nan)
    smooth = savitzky_golay(values, present, window=11)
    np.testing.assert_allclose(smooth, values, atol=1e-6)


def test_noise_is_reduced() -> None:
    noise = np.random.default_rng(0).normal(size=200)
    assert savitzky_golay(noise, np.ones(200, bool), 11).std() < 0.6 * noise.std()


def test_a_step_at_a_cut_stays_a_step() -> None:
    values = np.r_[np.zeros(20), np.ones(20)]
    present = np.ones(40, bool)
    np.testing.assert_allclose(savitzky_golay(values, present, 11, cuts=[20]), values, atol=1e-9)
    assert 0.2 < savitzky_golay(values, present, 11)[19] < 0.8


def test_a_window_lasts_equally_long_at_every_rate_and_is_odd() -> None:
    assert [window_length(0.44, Fraction(rate)) for rate in (25, 50, 60)] == [11, 21, 27]
    assert window_length(0.2, Fraction(30000, 1001)) == 5


def test_a_short_gap_is_crossed_in_a_straight_line() -> None:
    values = np.array([0.0, np.nan, np.nan, 3.0])
    filled, present = fill_short_gaps(values, np.isfinite(values), longest=2)
    assert present.all()
    np.testing.assert_allclose(filled, [0, 1, 2, 3])


def test_a_long_gap_an_open_end_and_a_gap_with_a_cut_stay_open() -> None:
    values = np.array([np.nan, 1.0, np.nan, np.nan, np.nan, 2.0, np.nan, 3.0, np.nan])
    found = np.isfinite(values)
    filled, present = fill_short_gaps(values, found, longest=2, cuts=[7])
    assert (present == found).all()
    np.testing.assert_array_equal(filled, values)


@settings(deadline=None)
@given(presences, st.integers(0, 10))
def test_filling_changes_no_found_value(found: np.ndarray, longest: int) -> None:
    values = np.where(found, np.arange(len(found)) ** 1.5, np.nan)
    filled, present = fill_short_gaps(values, found, longest)
    np.testing.assert_array_equal(filled[found], values[found])
    assert np.isfinite(filled[present]).all() and np.isnan(filled[~present]).all()
