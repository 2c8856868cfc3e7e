"""How long clips still take."""

from heygem_pipeline.planning.time_left import Estimate, seconds_left

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
