import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.faces.box_smoothing import REACH_FRAMES, BoxSmoother, SmoothedBox, smooth_boxes
from heygem_pipeline.faces.boxes import Box, square_box


def steady(xs: list[float], beginnings: set[int] = frozenset({0})) -> list[SmoothedBox[str]]:  # pyright: ignore[reportArgumentType]
    boxes: BoxSmoother[str] = BoxSmoother()
    done: list[SmoothedBox[str]] = []
    for frame, x in enumerate(xs):
        done += boxes.add(frame, square_box(x, 50, 40), f"frame {frame}", frame in beginnings)
        assert frame - len(done) < REACH_FRAMES + 1
    return done + boxes.end_run()


def test_every_box_comes_back_in_order_with_what_belongs_to_it() -> None:
    done = steady([10.0] * 30)
    assert [boxed.frame for boxed in done] == list(range(30))
    assert [boxed.item for boxed in done] == [f"frame {frame}" for frame in range(30)]


def test_jitter_is_taken_out_and_an_even_movement_is_left() -> None:
    path = np.arange(600) * 2.0
    jitter = np.random.default_rng(0).normal(0, 1, 600)
    inner = slice(REACH_FRAMES, -REACH_FRAMES)
    even = np.array([boxed.box.centre[0] for boxed in steady(list(path))])
    np.testing.assert_allclose(even[inner], path[inner], atol=1e-9)
    calmed = np.array([boxed.box.centre[0] for boxed in steady(list(path + jitter))])
    assert (calmed - path)[inner].std() < 0.5 * jitter.std()


def test_nothing_is_smoothed_across_the_beginning_of_a_run() -> None:
    centres = [boxed.box.centre[0] for boxed in steady([10.0] * 9 + [200.0] * 3, {0, 9})]
    assert centres == pytest.approx([10.0] * 9 + [200.0] * 3)


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=40), st.sets(st.integers(1, 39)), st.integers(0, 2**32 - 1))
def test_all_at_once_gives_what_one_after_the_other_gives(present: list[bool], cuts: set[int], seed: int) -> None:
    boxes = np.random.default_rng(seed).uniform(0, 2000, (len(present), 4)).astype(np.float32)
    boxes[[index for index, here in enumerate(present) if not here]] = np.nan
    expected = np.full_like(boxes, np.nan)
    smoother: BoxSmoother[None] = BoxSmoother()
    done: list[SmoothedBox[None]] = []
    for frame, here in enumerate(present):
        if here:
            begins = frame == 0 or not present[frame - 1] or frame in cuts
            done += smoother.add(frame, Box(*boxes[frame].tolist()), None, begins)
    for smoothed in done + smoother.end_run():
        expected[smoothed.frame] = smoothed.box
    np.testing.assert_allclose(smooth_boxes(boxes, sorted(cuts)), expected, rtol=1e-5)
