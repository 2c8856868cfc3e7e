from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.media.timeline import (
    constant_rate,
    count_frames,
    display_times,
    frames_on_display,
    is_variable,
    ping_pong,
)

MILLISECOND = Fraction(1, 1000)
RATES = [
    Fraction(*rate) for rate in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1), (60, 1), (12, 1))
]


def shown(timestamps: np.ndarray, time_base: Fraction, rate: Fraction, count: int) -> list[int]:
    """Which source frame each frame of the constant-rate timeline shows."""
    times = display_times(count, rate, int(timestamps[0]), time_base)
    return frames_on_display(timestamps, times).tolist()


def test_ping_pong_goes_there_and_back_without_repeating_an_end() -> None:
    assert [ping_pong(position, 4) for position in range(13)] == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0]


def test_ping_pong_of_a_single_frame_stays() -> None:
    assert [ping_pong(position, 1) for position in range(3)] == [0, 0, 0]


@given(position=st.integers(0, 10**9), frame_count=st.integers(1, 10**6))
def test_ping_pong_always_moves_by_one_frame(position: int, frame_count: int) -> None:
    here, there = ping_pong(position, frame_count), ping_pong(position + 1, frame_count)
    assert 0 <= here < frame_count
    assert abs(there - here) == (frame_count > 1)


@given(seconds=st.fractions(0, 3600), rate=st.sampled_from(RATES))
def test_frames_last_as_long_as_the_sound_within_half_a_frame(seconds: Fraction, rate: Fraction) -> None:
    count = count_frames(seconds, rate)
    assert count >= 1
    assert count == 1 or abs(count / rate - seconds) <= 1 / rate / 2


@given(rate=st.sampled_from(RATES), count=st.integers(3, 3000), start=st.integers(-5000, 5000))
def test_timestamps_rounded_to_milliseconds_give_the_true_rate_and_every_frame_once(
    rate: Fraction, count: int, start: int
) -> None:
    timestamps = np.array([start + round(frame / rate / MILLISECOND) for frame in range(count)], np.int64)
    if count > 100:
        assert constant_rate(timestamps, MILLISECOND, 60) == rate
    assert shown(timestamps, MILLISECOND, rate, count) == list(range(count))


@given(data=st.data(), rate=st.sampled_from(RATES), count=st.integers(2, 500))
def test_jitter_below_half_a_frame_neither_drops_nor_repeats(data: st.DataObject, rate: Fraction, count: int) -> None:
    time_base = Fraction(1, 90000)
    frame = 1 / rate / time_base
    limit = int(frame / 2) - 2
    jitter = data.draw(st.lists(st.integers(-limit, limit), min_size=count, max_size=count))
    timestamps = np.array([round(i * frame) + j for i, j in enumerate(jitter)], np.int64)
    timestamps[0] = 0
    assert shown(timestamps, time_base, rate, count) == list(range(count))


@given(keep=st.lists(st.booleans(), min_size=60, max_size=300), rate=st.sampled_from(RATES))
def test_dropped_frames_are_replaced_by_the_one_before(keep: list[bool], rate: Fraction) -> None:
    time_base = rate.denominator * Fraction(1, rate.numerator)
    kept = np.array([0, *(i for i, kept in enumerate(keep, start=1) if kept)], np.int64)
    last = int(kept[-1])
    on_display = kept[shown(kept, time_base, rate, last + 1)]
    assert on_display.tolist() == [max(k for k in kept.tolist() if k <= i) for i in range(last + 1)]


def test_the_rate_of_a_clip_with_every_third_frame_dropped_is_that_of_the_frames_left() -> None:
    timestamps = np.array([1001 * frame for frame in range(240) if frame % 3 != 2], np.int64)
    rate = constant_rate(timestamps, Fraction(1, 24000), 60)
    assert rate == Fraction(24000, 1001)
    assert is_variable(timestamps, Fraction(1, 24000), rate)


def test_a_rate_nobody_else_uses_is_kept() -> None:
    timestamps = np.arange(200, dtype=np.int64) * 4519
    assert float(constant_rate(timestamps, Fraction(1, 100000), 60)) == pytest.approx(22.129, abs=0.001)


@pytest.mark.parametrize(("claimed", "shown_at"), [(120, 60), (240, 60), (100, 50), (90, 45), (144, 48)])
def test_fast_clips_are_brought_down_by_a_whole_number(claimed: int, shown_at: int) -> None:
    assert constant_rate(np.arange(500, dtype=np.int64), Fraction(1, claimed), 60) == shown_at


def test_a_slide_show_is_shown_at_a_multiple_of_its_rate() -> None:
    assert constant_rate(np.arange(10, dtype=np.int64), Fraction(1, 2), 60) == 26


@given(steps=st.lists(st.integers(0, 10**6), max_size=50))
def test_any_timestamps_give_a_usable_rate(steps: list[int]) -> None:
    timestamps = np.cumsum([0, *steps]).astype(np.int64)
    assert 10 <= constant_rate(timestamps, Fraction(1, 90000), 60) <= 60


@given(
    start=st.integers(-(2**40), 2**40),
    rate=st.sampled_from(RATES),
    base=st.sampled_from([1000, 90000, 12800, 24000, 10**6, 10**9]),
    count=st.integers(1, 300),
)
def test_display_times_lie_in_the_middle_of_their_frames(start: int, rate: Fraction, base: int, count: int) -> None:
    times = display_times(count, rate, start, Fraction(1, base))
    middles = [start + (i + Fraction(1, 2)) * base / rate for i in range(count)]
    assert all(0 <= middle - time < 1 for middle, time in zip(middles, times.tolist(), strict=True))


def test_frames_in_bunches_are_shown_at_their_mean_rate() -> None:
    pairs = (np.arange(45) // 2 * 66.7 + np.arange(45) % 2).astype(np.int64)
    assert constant_rate(pairs, MILLISECOND, 60) == 30
    triples = (np.arange(90) // 3 * 120 + np.arange(90) % 3 * 2).astype(np.int64)
    assert constant_rate(triples, MILLISECOND, 60) == 25


def test_a_fast_camera_is_still_halved_and_a_camera_that_drops_frames_keeps_its_rate() -> None:
    assert constant_rate(np.arange(500) * 4, MILLISECOND, 60) == 50
    dropped = np.delete(np.arange(200) * 20, np.arange(0, 200, 3))
    assert constant_rate(dropped, MILLISECOND, 60) == 50
