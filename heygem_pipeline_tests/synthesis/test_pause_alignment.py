"""Sentences found in a recording by the pauses between them."""

from itertools import pairwise

import numpy as np
import pytest

from heygem_pipeline.synthesis.pause_alignment import aligned

RATE = 80.0


def recording(*lengths: float, pause: float = 0.5, before: float = 0.3) -> np.ndarray:
    """Speech of these lengths in seconds, with pauses between."""
    rows = [np.zeros(round(before * RATE), bool)]
    for length in lengths:
        rows += [np.ones(round(length * RATE), bool), np.zeros(round(pause * RATE), bool)]
    return np.concatenate(rows)


def sentence(letters: int) -> str:
    return "a" * letters


def test_sentences_end_in_the_pauses_though_they_are_not_as_long_as_they_should_be() -> None:
    # By their letters they would last 1, 1 and 2 seconds.
    found = aligned([[sentence(10), sentence(10)], [sentence(20)]], recording(1.3, 0.8, 1.9), RATE)
    begins = [0.3, 0.3 + 1.3 + 0.5, 0.3 + 1.3 + 0.5 + 0.8 + 0.5]
    assert [one.begin for one in found] == pytest.approx(begins, abs=0.02)
    assert [one.end for one in found] == pytest.approx([1.6, 2.9, 5.3], abs=0.02)
    assert [one.paragraph for one in found] == [0, 0, 1]


def test_a_breath_within_a_sentence_parts_none() -> None:
    speaks = np.concatenate([recording(0.9, 0.9, pause=0.2), recording(1.8, before=0.5)])
    first, second = aligned([[sentence(20), sentence(20)]], speaks, RATE)
    assert (first.end, second.begin) == pytest.approx((2.3, 3.0), abs=0.03)


def test_without_pauses_each_has_its_share() -> None:
    first, second = aligned([[sentence(10), sentence(30)]], recording(4.0), RATE)
    assert (first.end, second.begin, second.end) == pytest.approx((1.3, 1.3, 4.3), abs=0.05)


def test_many_sentences_stay_in_order_and_on_time() -> None:
    random = np.random.default_rng(5)
    letters = random.integers(10, 90, 300)
    lengths = letters * 0.06 * random.uniform(0.8, 1.2, 300)
    found = aligned([[sentence(int(count)) for count in letters]], recording(*lengths), RATE)
    begins = 0.3 + np.concatenate([[0], np.cumsum(lengths + 0.5)[:-1]])
    late = np.array([one.begin for one in found]) - begins
    assert np.quantile(np.abs(late), 0.9) < 0.2
    assert all(one.end >= one.begin for one in found)
    assert all(later.begin >= one.end for one, later in pairwise(found))


def test_silence_says_nothing() -> None:
    assert aligned([["Hello."]], np.zeros(80, bool), RATE) == ()
    assert aligned([], recording(1.0), RATE) == ()
