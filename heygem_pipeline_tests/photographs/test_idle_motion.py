"""How a calm person moves: measured on the numbers."""

from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.photographs.idle_motion import IdleMotion, idle_motion
from heygem_pipeline.storage.fingerprint import text_digest

RATE = Fraction(25)


@pytest.fixture(params=["anna", "ben", "cem", "dora"])
def motion(request: pytest.FixtureRequest) -> IdleMotion:
    return idle_motion(text_digest(request.param, 64), RATE)


def test_it_begins_as_the_photograph_is_and_turns_round_without_a_jolt(motion: IdleMotion) -> None:
    for series in (motion.yaw, motion.pitch, motion.roll, motion.lean, motion.sway, motion.breath):
        assert abs(series[0]) < 1e-9
        # Played forward and back, the steps beside the turning points are equal and opposite: they must be small.
        fastest = np.abs(np.diff(series)).max()
        assert abs(series[1] - series[0]) < 0.25 * fastest and abs(series[-1] - series[-2]) < 0.25 * fastest
    assert motion.eyes_closed[0] == motion.eyes_closed[-1] == 0


def test_the_head_turns_by_a_few_degrees_at_most(motion: IdleMotion) -> None:
    assert 2 < np.ptp(motion.yaw) < 10 and np.abs(motion.yaw).max() < 7
    assert np.abs(motion.pitch).max() < 4 and np.abs(motion.roll).max() < 2


def test_it_blinks_every_two_to_six_seconds_for_a_tenth_of_a_second(motion: IdleMotion) -> None:
    shown = np.concatenate([motion.eyes_closed, motion.eyes_closed[-2:0:-1], motion.eyes_closed])
    closed = (shown >= 0.6).astype(int)
    begins, ends = np.flatnonzero(np.diff(closed) == 1) + 1, np.flatnonzero(np.diff(closed) == -1) + 1
    assert set((ends - begins).tolist()) == {3}
    between = np.diff(begins) / float(RATE)
    assert between.min() >= 2 and between.max() <= 6


def test_a_photograph_always_moves_alike_and_another_otherwise() -> None:
    first, again, other = (idle_motion(text_digest(name, 64), RATE) for name in ("a", "a", "b"))
    assert np.array_equal(first.yaw, again.yaw) and np.array_equal(first.eyes_closed, again.eyes_closed)
    assert not np.allclose(first.yaw, other.yaw)
