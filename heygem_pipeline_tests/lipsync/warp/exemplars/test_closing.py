"""How far closed lips take the place of another mouth."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline.lipsync.warp.exemplars.closing import closing_shares
from heygem_pipeline.lipsync.warp.exemplars.retrieval import Match, Query

NOWHERE = np.zeros((17, 2))
LIPS = MouthContours(np.zeros((15, 2)), np.zeros((15, 2)), NOWHERE, NOWHERE)


def asked(gap: float, near: bool = True) -> Match:
    return Match(0, -1, 0.0, near, Query(LIPS, gap, np.zeros(2)))


def shares(gaps: Sequence[float], frame_rate: float = 25) -> list[float]:
    return [share for _, share in closing_shares(iter([asked(gap) for gap in gaps]), frame_rate)]


def test_lips_that_shall_touch_are_those_of_a_closed_frame_and_fade_to_both_sides() -> None:
    assert shares([0.04] * 4 + [0.0, 0.0] + [0.04] * 4) == [0, 0, 0, 0.5, 1, 1, 0.5, 0, 0, 0]


def test_they_fade_for_as_long_at_any_frame_rate() -> None:
    fading = shares([0.04] * 10 + [0.0] + [0.04] * 10, 50)
    assert sum(0 < share < 1 for share in fading) == 6


def test_a_mouth_that_is_asked_to_be_wide_shows_none_of_them() -> None:
    assert shares([0.2, 0.2, 0.0, 0.2, 0.2]) == [0, 0, 1, 0, 0]
    (_, beside, *_) = shares([0.2, 0.06, 0.0])
    assert 0 < beside < 0.5


def test_lips_that_nearly_touch_do_not_take_turns() -> None:
    assert shares([0.0, 0.03, 0.02, 0.03, 0.0]) == [1] * 5
    assert shares([0.03] * 5) == [0] * 5


def test_without_closed_lips_in_a_like_pose_nothing_changes() -> None:
    far = [None, asked(0.0, near=False), asked(0.0, near=False), None]
    assert list(closing_shares(iter(far), 25)) == [(match, 0.0) for match in far]


@given(st.lists(st.floats(0, 0.3), max_size=40), st.sampled_from([12.0, 24000 / 1001, 25.0, 60.0]))
def test_every_frame_has_its_own_share_and_no_more_than_a_whole_one(gaps: list[float], frame_rate: float) -> None:
    matches = [asked(gap) for gap in gaps]
    found = list(closing_shares(iter(matches), frame_rate))
    assert [match for match, _ in found] == matches
    assert all(0 <= share <= 1 for _, share in found)
    assert all(share == 1 for match, share in found if match is not None and match.wanted.gap < 0.025)


@pytest.mark.parametrize("frame_rate", [5.0, 10.0])
def test_at_few_frames_a_second_they_come_and_go_at_once(frame_rate: float) -> None:
    assert shares([0.04, 0.0, 0.04], frame_rate) == [0, 1, 0]
