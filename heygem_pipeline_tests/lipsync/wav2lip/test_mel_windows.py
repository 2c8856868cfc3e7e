"""What the network hears for a frame: the right 200 ms, and silence where nobody speaks."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.lipsync.contract.material import made_features
from heygem_pipeline.lipsync.wav2lip.mel_windows import WINDOW_COLUMNS, MelWindows

RATES = [Fraction(12), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)]
ALL_SPOKEN = made_features(np.ones(161))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("lead", [Fraction(0), Fraction(1, 10), Fraction(3, 25), Fraction(-1, 20)])
def test_a_window_begins_the_lead_before_its_frame(rate: Fraction, lead: Fraction) -> None:
    mel_windows = MelWindows(ALL_SPOKEN, rate, lead)
    for frame in range(int(rate / 4), int(rate)):
        first = int((frame / rate - lead) * 80)
        np.testing.assert_allclose(
            mel_windows.window(frame), ALL_SPOKEN.log_mel[first : first + WINDOW_COLUMNS], atol=1e-6
        )


def test_a_longer_lead_hears_earlier_sound() -> None:
    now, before = (MelWindows(ALL_SPOKEN, Fraction(25), lead) for lead in (Fraction(0), Fraction(1, 25) * 3))
    np.testing.assert_array_equal(before.window(20), now.window(17))


def test_at_25_frames_a_second_without_a_lead_it_is_the_references_index() -> None:
    mel_windows = MelWindows(ALL_SPOKEN, Fraction(25), Fraction(0))
    for frame in range(40):
        first = int(frame * 80 / 25)
        np.testing.assert_allclose(
            mel_windows.window(frame), ALL_SPOKEN.log_mel[first : first + WINDOW_COLUMNS], atol=1e-6
        )


@given(
    rows=st.integers(1, 60),
    rate=st.sampled_from(RATES),
    lead=st.sampled_from([Fraction(-1, 2), Fraction(0), Fraction(3, 25), Fraction(1, 2)]),
)
def test_every_frame_has_a_whole_window_however_short_the_voice(rows: int, rate: Fraction, lead: Fraction) -> None:
    speech = made_features(np.ones(rows))
    mel_windows = MelWindows(speech, rate, lead)
    for frame in range(speech.frame_count(rate)):
        window = mel_windows.window(frame)
        assert window.shape == (WINDOW_COLUMNS, 80)
        assert window.dtype == np.float32
        assert np.all(np.abs(window) <= 4)


def test_beyond_the_ends_of_the_voice_there_is_silence() -> None:
    mel_windows = MelWindows(ALL_SPOKEN, Fraction(25), Fraction(1, 5))
    assert (mel_windows.window(0) == -4).all()
    last = MelWindows(ALL_SPOKEN, Fraction(25), Fraction(0)).window(49)
    assert (last[:4] > -4).any()
    assert (last[-8:] == -4).all()


def test_noise_in_a_pause_is_heard_as_silence() -> None:
    activity = np.concatenate([np.ones(80), np.zeros(80), np.ones(80)])
    speech = made_features(activity)
    speech.log_mel[80:160] = -1
    mel_windows = MelWindows(speech, Fraction(25), Fraction(0))
    assert (mel_windows.window(35) == -4).all()
