"""Silence closes the mouth, softly; speech opens it as wide as mouths open."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.lipsync.contract.material import made_features
from heygem_pipeline.speech.mouth_motion import match_quantiles, speech_envelope


def one_word(begin: int = 100, end: int = 180, rows: int = 300) -> np.ndarray:
    activity = np.zeros(rows)
    activity[begin:end] = 1
    return activity


def test_silence_is_exactly_closed() -> None:
    assert not speech_envelope(made_features(np.zeros(200))).any()


def test_speech_is_fully_open() -> None:
    assert speech_envelope(made_features(one_word()))[100:180].min() == 1


def test_after_a_rest_lips_part_just_before_the_sound() -> None:
    openness = speech_envelope(made_features(one_word(200, 280)))
    assert 0.1 < openness[200 - 4] < 0.9  # 50 ms
    assert not openness[: 200 - 10].any()  # 125 ms


def test_within_a_talk_they_part_earlier() -> None:
    openness = speech_envelope(made_features(one_word() + one_word(240, 290)))
    assert 0.1 < openness[240 - 20] < 0.9  # 250 ms
    assert not openness[195 : 240 - 26].any()  # 325 ms


def test_the_longer_a_rest_the_later_they_part() -> None:
    parted = [
        rest - np.flatnonzero(speech_envelope(made_features(one_word(rest, rest + 80, rest + 120))))[0]
        for rest in range(50, 150, 10)
    ]
    assert parted == sorted(parted, reverse=True)
    assert parted[0] >= 2 * parted[-1]


def test_lips_stay_with_the_sound_and_are_closed_120_ms_later() -> None:
    openness = speech_envelope(made_features(one_word()))
    assert openness[179] == 1
    assert openness[179 + 9] < 0.1  # 112 ms
    assert not openness[179 + 10 :].any()


def test_noise_as_loud_as_speech_does_not_hold_the_mouth_open_after_it() -> None:
    openness = speech_envelope(made_features(one_word(), np.full(300, -20.0)))
    assert openness[179] == 1
    assert not openness[179 + 12 :].any()  # 150 ms


def test_a_stop_consonant_inside_a_word_does_not_close_the_gate() -> None:
    activity = one_word()
    level = np.where(activity > 0, -20.0, -90.0)
    level[130:138] = -90  # 100 ms without sound, as before a p
    assert speech_envelope(made_features(activity, level))[100:180].min() == 1


def test_a_break_between_words_does_not_either() -> None:
    assert speech_envelope(made_features(one_word() + one_word(205, 290)))[100:290].min() == 1


def test_a_pause_between_sentences_does() -> None:
    activity = one_word() + one_word(240, 290)
    assert not speech_envelope(made_features(activity))[200:205].any()


def test_a_pause_that_the_detector_slept_through_does_too() -> None:
    activity = one_word(100, 290)
    level = np.where(activity > 0, -20.0, -90.0)
    level[180:240] = -90
    assert not speech_envelope(made_features(activity, level))[195:210].any()


def test_a_note_that_the_detector_takes_for_speech_for_a_moment_does_not_open_the_mouth() -> None:
    activity = np.zeros(200)
    activity[90:100] = [0.4, 0.45, 0.55, 0.65, 0.7, 0.65, 0.6, 0.5, 0.45, 0.4]
    assert not speech_envelope(made_features(activity, np.full(200, -15.0))).any()


def test_the_shortest_word_opens_it() -> None:
    assert speech_envelope(made_features(one_word(100, 108))).max() == 1


def test_loud_music_is_not_speech() -> None:
    assert not speech_envelope(made_features(np.full(200, 0.2), np.full(200, -10.0))).any()


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_openness_is_a_share_and_never_jumps(seed: int) -> None:
    chance = np.random.default_rng(seed)
    activity = np.repeat(chance.uniform(0, 1, 30), chance.integers(1, 20, 30))
    openness = speech_envelope(made_features(activity, chance.uniform(-100, 0, len(activity))))
    assert openness.shape == activity.shape
    assert openness.min() >= 0
    assert openness.max() <= 1
    assert np.abs(np.diff(openness)).max(initial=0) < 0.3


KNOTS = np.linspace(-1, 1, 101)[None]


def test_a_timid_prediction_gets_the_measured_amplitude() -> None:
    curve = 0.5 * np.sin(np.arange(8000) / 9)[:, None]
    timid = match_quantiles(curve, np.ones(8000, bool), KNOTS, (KNOTS + 1) / 2)
    usual = match_quantiles(curve * 2, np.ones(8000, bool), KNOTS, (KNOTS + 1) / 2)
    assert np.ptp(usual) > 0.75
    assert np.ptp(timid) > 0.7 * np.ptp(usual)


def test_a_single_word_is_not_stretched_by_its_own_range() -> None:
    word = np.linspace(0, 0.2, 40)[:, None]
    assert np.ptp(match_quantiles(word, np.ones(40, bool), KNOTS, KNOTS)) < 0.3


def test_order_is_kept_and_bounds_are_the_measured_ones() -> None:
    curve = np.linspace(-9, 9, 500)[:, None]
    motion = match_quantiles(curve, np.ones(500, bool), KNOTS, KNOTS**3)
    assert np.all(np.diff(motion[:, 0]) >= 0)
    assert motion.min() >= -1
    assert motion.max() <= 1
