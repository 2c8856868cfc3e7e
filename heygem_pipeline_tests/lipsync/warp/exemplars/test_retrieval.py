"""Which mouth is shown when."""

from itertools import pairwise

import numpy as np
import pytest

from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.contours import shape_descriptor
from heygem_pipeline.lipsync.warp.exemplars.collection import Exemplar, ExemplarSet
from heygem_pipeline.lipsync.warp.exemplars.retrieval import Match, Query, retrieve
from heygem_pipeline_tests.lipsync.warp.articulation.test_lip_model import mouth as lips

RATE = 25.0


def mouths_with(
    gaps: list[float],
    yaws: list[float] | None = None,
    cuts: tuple[int, ...] = (),
    seen: list[float] | None = None,
    clear: list[float] | None = None,
    soot: list[float] | None = None,
    unrest: list[float] | None = None,
) -> ExemplarSet:
    """Mouths in one run of frames, open as given; seen: as the pictures show them."""
    picture = np.zeros((4, 4, 3), np.uint8)
    made = tuple(
        Exemplar(i, picture, HeadFrame(np.eye(2, 3)), lips(gap), own_gap, 10.0, clearness, dark)
        for i, (gap, own_gap, clearness, dark) in enumerate(
            zip(gaps, seen or gaps, clear or [10.0] * len(gaps), soot or [0.0] * len(gaps), strict=True)
        )
    )
    shots = np.searchsorted(np.array(cuts, int), np.arange(len(gaps)), side="right")
    return ExemplarSet(
        mouths=made,
        signatures=np.stack([shape_descriptor(one.contours) for one in made]),
        poses=np.stack([np.array([yaw, 0.0]) for yaw in yaws or [0.0] * len(gaps)]),
        follows=np.r_[False, np.diff(shots) == 0],
        shots=shots,
        closed=np.array([one.seen_gap < 0.015 for one in made]),
        closed_height=np.zeros(17),
        unrest=np.array(unrest or [0.0] * len(gaps)),
    )


def shown(gaps: list[float], own: ExemplarSet, **settings: object) -> list[Match | None]:
    """What is found for these openings."""
    wishes = [Query(lips(gap), gap, np.zeros(2)) for gap in gaps]
    return list(retrieve(lambda i: wishes[i], len(wishes), own, RATE, **settings))  # pyright: ignore[reportArgumentType]


def places(found: list[Match | None]) -> list[int]:
    return [one.mouth for one in found if one is not None]


def test_the_mouth_that_was_asked_for_is_found() -> None:
    own = mouths_with([0.0, 0.2, 0.05, 0.3, 0.12])
    for place, one in enumerate(own.mouths):
        (found,) = shown([one.contours.gap], own)
        assert found is not None
        assert found.mouth == place
        assert found.near


def test_a_passage_of_the_presenter_is_played_as_it_was() -> None:
    rng = np.random.default_rng(3)
    own = mouths_with(list(rng.uniform(0, 0.25, 40)))
    found = shown([one.contours.gap for one in own.mouths[12:30]], own)
    assert places(found) == list(range(12, 30))
    assert all(one is not None and one.fade == 0 for one in found)


def test_a_small_gain_is_not_worth_a_jump() -> None:
    own = mouths_with([0.10] * 10 + [0.11] * 10)
    found = places(shown([0.10, 0.11] * 10, own))
    assert sum(abs(b - a) > 2 for a, b in pairwise(found)) == 0


def fading(found: list[Match | None]) -> list[Match]:
    return [one for one in found if one is not None and one.fade > 0]


def test_a_mouth_fades_into_a_like_one_after_a_jump() -> None:
    own = mouths_with([0.10] * 5 + [0.12] * 5, cuts=(5,))
    first, second = np.arange(10) < 5, np.arange(10) >= 5
    found = shown([0.11] * 12, own, excluded=lambda place: second if place < 6 else first)
    between = fading(found)
    assert len(between) == 2
    assert between[0].mouth >= 5
    assert between[0].before < 5


def test_closed_lips_do_not_fade_over_open_teeth() -> None:
    own = mouths_with([0.3] * 5 + [0.1] * 6 + [0.0] * 5)
    found = shown([0.0] * 6 + [0.3] * 6, own)
    assert places(found)[0] >= 11
    assert places(found)[-1] < 5
    assert not fading(found)


def test_excluded_mouths_are_never_shown() -> None:
    own = mouths_with([0.1, 0.1, 0.2, 0.25])
    banned = np.array([True, True, False, False])
    assert set(places(shown([0.1] * 8, own, excluded=lambda _: banned))) <= {2, 3}


def test_nothing_is_shown_without_a_face_or_where_all_is_excluded() -> None:
    own = mouths_with([0.0, 0.1])
    assert list(retrieve(lambda _: None, 5, own, RATE)) == [None] * 5
    assert shown([0.1] * 3, own, excluded=lambda _: np.array([True, True])) == [None] * 3


def test_a_mouth_that_is_far_from_what_is_asked_is_not_shown() -> None:
    found = shown([0.3] * 10, mouths_with([0.0, 0.01]))
    assert all(one is not None and not one.near for one in found)


def test_found_and_drawn_mouths_do_not_take_turns() -> None:
    asked = [0.0] * 12 + [0.32] * 12 + [0.30, 0.32] * 6
    seen = [one.near for one in shown(asked, mouths_with([0.0, 0.01, 0.02])) if one is not None]
    assert seen == [True] * 12 + [False] * 24


def test_the_same_shot_and_the_same_pose_are_preferred() -> None:
    two_shots = mouths_with([0.1, 0.1, 0.1, 0.1], cuts=(2,))
    wish = Query(lips(0.1), 0.1, np.zeros(2), shot=1)
    assert [one.mouth for one in retrieve(lambda _: wish, 1, two_shots, RATE) if one] == [2]
    turned = mouths_with([0.1, 0.1, 0.1], yaws=[0.5, -0.4, 0.05])
    assert places(shown([0.1], turned)) == [2]


def test_lips_that_shall_touch_do_not_bare_teeth() -> None:
    own = mouths_with([0.01, 0.03, 0.02], seen=[0.12, 0.0, 0.1])
    assert places(shown([0.0], own)) == [1]


def test_a_mouth_that_stays_open_is_not_shown_where_lips_shall_touch() -> None:
    parted = mouths_with([0.0, 0.01], seen=[0.03, 0.03])
    assert [one.near for one in shown([0.0, 0.03, 0.0], parted) if one is not None] == [False, True, False]


def test_a_film_of_teeth_and_lips_on_their_way_are_shown_less_than_clear_ones_at_rest() -> None:
    assert places(shown([0.1], mouths_with([0.1, 0.11, 0.1], clear=[3.0, 12.0, 3.0]))) == [1]
    assert places(shown([0.1], mouths_with([0.1, 0.11, 0.1], unrest=[1.5, 0.1, 1.5]))) == [1]


def test_lips_that_touch_are_not_opened_where_others_are_open() -> None:
    assert places(shown([0.09], mouths_with([0.08, 0.12], seen=[0.0, 0.12]))) == [1]


def test_lips_close_with_a_thin_line_and_as_they_usually_do() -> None:
    sooty = mouths_with([0.0] * 4, soot=[0.3, 0.0, 0.3, 0.0], yaws=[0.0, 0.1, 0.0, 0.1])
    assert places(shown([0.0], sooty, closed_only=True))[0] in (1, 3)
    pressed = mouths_with([0.0] * 4, unrest=[1.2, 1.2, 0.1, 1.2], yaws=[0.0, 0.0, 0.05, 0.0])
    assert places(shown([0.0], pressed, closed_only=True)) == [2]


def test_lips_close_with_those_of_about_that_time() -> None:
    own = mouths_with([0.0] + [0.2] * 100 + [0.0])
    for frame, mouth in ((5, 0), (95, 101)):
        wish = Query(lips(0.0), 0.0, np.zeros(2), frame=frame)
        found = retrieve(lambda _, wish=wish: wish, 1, own, RATE, closed_only=True)
        assert [one.mouth for one in found if one] == [mouth]


def test_only_seconds_are_looked_ahead() -> None:
    own = mouths_with([0.0, 0.1, 0.2])
    asked: list[int] = []

    def wanted(place: int) -> Query:
        asked.append(place)
        return Query(lips(0.1), 0.1, np.zeros(2))

    for place, _ in enumerate(retrieve(wanted, 2000, own, RATE)):
        assert len(asked) <= place + 1 + 5 * RATE
    assert asked == list(range(2000))


@pytest.mark.parametrize("count", [1, 99, 100, 101, 125, 126, 300])
def test_clips_of_any_length_are_served(count: int) -> None:
    rng = np.random.default_rng(count)
    own = mouths_with(list(rng.uniform(0, 0.25, 30)))
    assert len(shown(list(rng.uniform(0, 0.25, count)), own)) == count


def test_lips_that_shall_close_find_those_that_touch_and_no_others() -> None:
    own = mouths_with([0.02, 0.2, 0.0, 0.3, 0.01], seen=[0.02, 0.2, 0.0, 0.3, 0.09])
    assert places(shown([0.0, 0.02, 0.3], own, closed_only=True)) == [2, 2, 2]


def test_closed_lips_are_taken_from_a_head_turned_a_little_and_not_from_one_turned_far() -> None:
    turned = mouths_with([0.0], yaws=[float(np.radians(15))]), mouths_with([0.0], yaws=[float(np.radians(30))])
    assert [one.near for own in turned for one in shown([0.0], own, closed_only=True) if one] == [True, False]


def test_wide_openings_have_no_say_in_the_lips_that_close_between_them() -> None:
    own = mouths_with([0.0, 0.2, 0.2, 0.2, 0.03], seen=[0.0, 0.2, 0.2, 0.2, 0.0])
    found = shown([0.2] * 6 + [0.0] + [0.2] * 6, own, closed_only=True)[6]
    assert found is not None
    assert found.near
    assert found.mouth == 0
