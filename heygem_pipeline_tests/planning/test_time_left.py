"""How long clips still take."""

import pytest

from heygem_pipeline.planning.time_left import Estimate, seconds_left, seconds_left_of_all, share_of_clock

EARLIER = Estimate(start=4.0, each=2.0)


def test_a_clip_takes_as_long_as_earlier_ones_did() -> None:
    assert EARLIER.seconds_for(10.0) == 24.0
    assert seconds_left(EARLIER, 10.0, None, 0.0) == 24.0
    assert seconds_left(EARLIER, 10.0, 0.75, 1000.0) == 6.0


def test_without_earlier_ones_it_tells_by_how_far_it_came() -> None:
    assert seconds_left(None, 10.0, 0.5, 30.0) == 30.0
    assert seconds_left(EARLIER, None, 0.5, 30.0) == 30.0


def test_at_its_beginning_nobody_can_tell() -> None:
    assert seconds_left(None, 10.0, None, 30.0) is None
    assert seconds_left(None, 10.0, 0.1, 30.0) is None
    assert seconds_left(None, 10.0, 0.5, 1.0) is None


def test_a_batch_takes_less_than_its_clips_together_where_several_are_made_at_a_time() -> None:
    assert seconds_left_of_all(None, [10.0, 20.0]) == 30.0
    two_at_a_time = Estimate(start=0.0, each=1.0, beside=0.5)
    assert seconds_left_of_all(two_at_a_time, [10.0] * 8) == 40.0
    # The last one is made alone.
    assert seconds_left_of_all(two_at_a_time, [10.0]) == 10.0
    assert seconds_left_of_all(two_at_a_time, [10.0, None]) is None
    assert seconds_left_of_all(two_at_a_time, []) == 0.0


@pytest.mark.parametrize(
    ("spans", "share"),
    [
        ([], 1.0),
        ([(0.0, 10.0), (20.0, 30.0)], 1.0),  # What passes between two batches is nobody's.
        ([(0.0, 10.0), (0.0, 10.0)], 0.5),
        ([(0.0, 10.0), (5.0, 15.0)], 0.75),
        ([(0.0, 10.0), (2.0, 4.0)], 10 / 12),
    ],
)
def test_how_much_is_made_at_a_time_is_seen_of_earlier_runs(spans: list[tuple[float, float]], share: float) -> None:
    assert share_of_clock(spans) == pytest.approx(share)
