"""What the network hears for a frame: the 200 ms around it, at any rate and length, and stillness in silence."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from heygem_pipeline.lipsync.musetalk.network.architecture import whisper_for
from heygem_pipeline.lipsync.musetalk.network.hearing import Hearing
from heygem_pipeline.lipsync.musetalk.sound_windows import SoundWindows, first_row
from heygem_pipeline_tests.lipsync.musetalk.stand_in import StandInHearing, ruled_weights, vectors, whisper_of

RATES = [Fraction(12), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(60)]


def windows_of(
    seconds: Fraction, rate: Fraction, silent_from: float = 1e9, lead: Fraction = Fraction(0)
) -> SoundWindows:
    envelope = (np.arange(int(seconds * 80) + 1) < silent_from * 80).astype(float)
    samples = np.zeros(round(seconds * 16_000), np.float32)
    return SoundWindows(samples, envelope, rate, lead, StandInHearing())


def rows_in(window: np.ndarray) -> list[int]:
    assert window.shape == (50, 384)
    return [int(row) for row in window[::5, 0]]


def test_at_25_frames_a_second_it_is_the_references_index() -> None:
    for known, seconds in ((vectors()["windows"]["25"], Fraction(33, 10)),):
        windows = windows_of(seconds, Fraction(25))
        for frame, rows in known["windows"].items():
            assert rows_in(windows.window(int(frame))) == rows
    known = vectors()["windows"]["long_61_3_s_25fps"]
    windows = windows_of(Fraction(613, 10), Fraction(25))
    for frame, name in ((748, "frame_748"), (750, "window_at_30_s_frame_750"), (1531, "last")):
        assert rows_in(windows.window(frame)) == known[name]


@pytest.mark.parametrize("rate", RATES)
def test_windows_lie_around_their_frames_without_drift_for_hours(rate: Fraction) -> None:
    for frame in (*range(100), 107_892, 215_784):
        middle = (first_row(frame, rate) + 5) * Fraction(1, 50)
        assert abs(middle - (frame + Fraction(1, 2)) / rate) <= Fraction(1, 100)
    assert first_row(25, Fraction(25), Fraction(1, 5)) == first_row(20, Fraction(25))


def test_a_token_of_each_layer_stands_for_each_row() -> None:
    windows = windows_of(Fraction(2), Fraction(25))
    assert windows.window(20)[:, 0].tolist() == [row for row in range(36, 46) for _ in range(5)]


def test_in_silence_the_same_is_heard_again_and_again() -> None:
    windows = windows_of(Fraction(4), Fraction(25), silent_from=1)
    heard = [windows.window(frame) for frame in range(100)]
    assert all((window == -1).all() for window in heard[30:])
    assert rows_in(heard[24])[:5] == [44, 45, 46, 47, 48] and rows_in(heard[24])[7:] == [-1, -1, -1]


def test_speech_after_a_long_silence_is_heard_at_its_place() -> None:
    envelope = (np.arange(801) > 640).astype(float)
    windows = SoundWindows(np.zeros(160_000, np.float32), envelope, Fraction(25), Fraction(0), StandInHearing())
    assert (windows.window(3) == -1).all()
    assert rows_in(windows.window(210)) == list(range(416, 426))


@pytest.mark.parametrize("seconds", [Fraction(1, 100), Fraction(1, 25), Fraction(1, 5)])
def test_a_voice_of_a_few_samples_is_heard(seconds: Fraction) -> None:
    assert windows_of(seconds, Fraction(50)).window(0).shape == (50, 384)


def test_only_what_is_needed_now_is_held() -> None:
    windows = windows_of(Fraction(300), Fraction(25))
    most = 0
    for frame in range(7500):
        windows.window(frame)
        most = max(most, len(windows._held))
    assert most <= 80


@pytest.fixture(scope="module")
def hearing() -> Hearing:
    """Pieces of 4 s."""
    weights = ruled_weights(whisper_of(200, 64))
    whisper = whisper_for(weights)
    whisper.load_state_dict(weights, assign=True)
    return Hearing(whisper.eval().requires_grad_(False), torch.device("cpu"))


def test_pieces_follow_each_other_without_a_gap_and_without_a_jump(hearing: Hearing) -> None:
    t = np.arange(9 * 16_000) / 16_000
    samples = (0.1 * np.sin(2 * np.pi * 300 * t) * (1 + np.sin(2 * np.pi * 2 * t))).astype(np.float32)
    rows = np.concatenate(list(hearing.pieces(samples)))
    assert rows.shape == (450, 5, 384)
    steps = np.abs(np.diff(rows, axis=0)).mean(axis=(1, 2))
    hard = np.abs(hearing._encode(samples[: 4 * 16_000])[-1] - hearing._encode(samples[4 * 16_000 :])[0]).mean()
    joint = slice(186, 201)
    assert steps[joint].max() < 0.75 * hard
    assert steps[joint].max() < 1.5 * np.quantile(steps, 0.95)


@pytest.mark.parametrize("samples", [0, 100, 320, 63_999, 64_000, 64_001, 120_000])
def test_every_20_ms_have_a_row(hearing: Hearing, samples: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    assert sum(len(piece) for piece in hearing.pieces(noise)) == samples // 320
