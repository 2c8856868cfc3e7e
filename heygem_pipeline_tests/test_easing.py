"""The curve of everything that fades."""

import numpy as np
import pytest

from heygem_pipeline.easing import smoothstep


def test_it_rises_from_nothing_to_all_between_its_edges() -> None:
    risen = smoothstep(2, 6, np.array([-9.0, 2, 3, 4, 5, 6, 99, np.inf]))
    assert risen.tolist() == [0, 0, 0.15625, 0.5, 0.84375, 1, 1, 1]


def test_it_is_level_at_both_ends() -> None:
    ends = smoothstep(0, 1, np.array([1e-4, 1 - 1e-4]))
    assert ends == pytest.approx([0, 1], abs=1e-7)


def test_what_is_unknown_stays_unknown() -> None:
    assert np.isnan(smoothstep(0, 1, np.array([np.nan]))).all()


def test_every_place_may_have_a_width_of_its_own() -> None:
    assert smoothstep(0, np.array([1.0, 2, 4]), np.ones(3)).tolist() == [1, 0.5, 0.15625]


def test_single_precision_stays_single_precision() -> None:
    assert smoothstep(0.1, 0.7, np.ones((2, 3), np.float32)).dtype == np.float32


def test_a_number_gives_a_plain_number() -> None:
    """One of NumPy's would turn the float32 pictures it is multiplied with into float64."""
    assert type(smoothstep(0.1, 0.7, 0.2)) is float
