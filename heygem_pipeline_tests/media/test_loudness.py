"""Loudness is as ffmpeg's own meter has it, and what is asked for is reached, with no peak too high."""

import re
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.media.ffmpeg_program import find_ffmpeg
from heygem_pipeline.media.loudness import HIGHEST_PEAK, LARGEST_GAIN, RATE, LoudnessMeter, amplified, gain_towards

Samples = NDArray[np.float32]


def spoken(seconds: float = 4.0, channels: int = 1, level: float = 0.1) -> Samples:
    """Something like speech: noise of a voice's colour in syllables, with pauses and some sharp peaks."""
    rng = np.random.default_rng(1)
    count = round(seconds * RATE)
    time = np.arange(count) / RATE
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time), 0, 1) * (np.sin(2 * np.pi * 0.4 * time) > -0.6)
    noise = np.convolve(rng.normal(size=count), np.ones(12) / 12, "same") * 3
    sound = level * syllables * noise
    sound[rng.integers(0, count, 20)] *= 4
    return np.repeat(sound[:, None], channels, axis=1).astype(np.float32) * np.linspace(
        1, 0.6, channels, dtype=np.float32
    )


def pieces(samples: Samples, size: int = 1024) -> Iterator[Samples]:
    return (samples[first : first + size] for first in range(0, len(samples), size))


def by_ffmpeg(samples: Samples) -> tuple[float, float]:
    """Loudness and true peak."""
    command = [
        *(str(find_ffmpeg()), "-hide_banner", "-nostats", "-f", "f32le", "-ar", str(RATE)),
        *("-ac", str(samples.shape[1]), "-i", "-", "-af", "ebur128=peak=true", "-f", "null", "-"),
    ]
    done = subprocess.run(command, input=samples.astype("<f4").tobytes(), capture_output=True, check=True)
    told = done.stderr.decode()
    return float(re.findall(r"I: +(\S+) LUFS", told)[-1]), float(re.findall(r"Peak: +(\S+) dBFS", told)[-1])


@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_measured_is_what_ffmpeg_measures(channels: int) -> None:
    samples = spoken(channels=channels)
    meter = LoudnessMeter(with_peak=True)
    assert np.array_equal(np.concatenate(list(meter.watch(pieces(samples)))), samples)
    loudness, peak = by_ffmpeg(samples)
    assert meter.reading.integrated == pytest.approx(loudness, abs=0.1)
    assert meter.reading.peak == pytest.approx(peak, abs=0.3)


@pytest.mark.parametrize(
    ("target", "level", "channels"), [(-16, 0.1, 1), (-23, 0.1, 2), (-16, 0.004, 2), (-14, 0.9, 1)]
)
def test_a_target_is_reached_and_no_peak_is_too_high(target: float, level: float, channels: int) -> None:
    samples = spoken(level=level, channels=channels)
    gain = gain_towards(target, lambda: pieces(samples))
    assert gain is not None
    louder = np.concatenate(list(amplified(pieces(samples), gain)))
    assert louder.shape == samples.shape
    loudness, peak = by_ffmpeg(louder)
    assert loudness == pytest.approx(target, abs=0.5) and peak <= HIGHEST_PEAK + 0.2


def test_where_no_peak_is_too_high_every_sample_is_louder_by_the_same() -> None:
    samples = spoken(level=0.01)
    gain = gain_towards(-30, lambda: pieces(samples))
    assert gain is not None
    louder = np.concatenate(list(amplified(pieces(samples), gain)))
    assert np.allclose(louder, samples * 10 ** (gain / 20), rtol=1e-5)


@pytest.mark.parametrize("size", [7, 1024, RATE, 10 * RATE])
def test_it_is_the_same_in_whatever_pieces_it_comes(size: int) -> None:
    samples = spoken(1.0)
    expected = np.concatenate(list(amplified(pieces(samples), 20.0)))
    assert np.abs(np.concatenate(list(amplified(pieces(samples, size), 20.0))) - expected).max() < 1e-6
    meter, whole = LoudnessMeter(), LoudnessMeter()
    for piece in pieces(samples, size):
        meter.add(piece)
    whole.add(samples)
    assert meter.reading.integrated == pytest.approx(whole.reading.integrated)


@pytest.mark.parametrize("samples", [np.zeros((RATE, 1), np.float32), spoken(0.3), np.zeros((0, 1), np.float32)])
def test_silence_and_what_is_shorter_than_a_block_stay_as_they_are(samples: Samples) -> None:
    assert gain_towards(-16, lambda: pieces(samples)) is None


def test_what_is_nearly_silent_is_not_made_louder_without_end() -> None:
    gain = gain_towards(-16, lambda: pieces(spoken(level=0.0012)))
    assert gain == LARGEST_GAIN
