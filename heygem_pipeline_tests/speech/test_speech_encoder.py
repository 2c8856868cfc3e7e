"""The front of Whisper's encoder, run in numpy."""

import hashlib

import numpy as np
import pytest

from heygem_pipeline.media.sound import Sound
from heygem_pipeline.speech import speech_encoder
from heygem_pipeline.speech.features import MEL_BANDS
from heygem_pipeline.speech.level import normalising_gain, row_levels
from heygem_pipeline.speech.mouth_network import load_network
from heygem_pipeline.speech.speech_encoder import (
    ENCODER_WIDTH,
    MEL_FLOOR,
    OVERLAP_ROWS,
    WEIGHTS,
    WINDOW_ROWS,
    encode,
    encode_mel,
    mel_decades,
    row_count,
)


@pytest.fixture(scope="module")
def long_voice(english: Sound) -> np.ndarray:
    """24 s at the loudness the encoder wants to hear."""
    samples = np.tile(english.samples, 4)[: 24 * 16000]
    return samples * np.float32(normalising_gain(row_levels(samples)))


def encoded(samples: np.ndarray, usual: np.ndarray | None = None) -> np.ndarray:
    return np.concatenate(list(encode(samples, 1.0, usual)))


def test_the_weights_are_those_that_the_readme_names() -> None:
    digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert digest in WEIGHTS.with_name("README.md").read_text(encoding="utf-8")
    assert "MIT License" in WEIGHTS.with_name("LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("count", [0, 1, 100, 320, 1600, 16000 * 10, 16000 * 10 + 1, 16000 * 10 + 320 * 3, 16000 * 23])
def test_there_is_a_row_every_20_ms(long_voice: np.ndarray, count: int) -> None:
    rows = encoded(long_voice[:count])
    assert rows.shape == (1 + count // 320, ENCODER_WIDTH)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_it_hears_the_same_bit_for_bit(long_voice: np.ndarray) -> None:
    np.testing.assert_array_equal(encoded(long_voice), encoded(long_voice))


def test_silence_is_the_same_throughout() -> None:
    usual = encode_mel(np.full((2 * WINDOW_ROWS, MEL_BANDS), MEL_FLOOR, np.float32))
    assert np.abs(encoded(np.zeros(16000 * 25, np.float32), usual)).max() < 1e-4


def test_sounds_change_what_it_says_where_they_are(long_voice: np.ndarray) -> None:
    quieter = long_voice.copy()
    quieter[16000 * 3 : 16000 * 4] = 0
    apart = np.abs(encoded(quieter[: 16000 * 8]) - encoded(long_voice[: 16000 * 8])).mean(axis=1)
    assert apart[150:200].mean() > 5 * max(apart[:100].mean(), apart[250:].mean())


def test_no_seam_shows_where_one_window_fades_into_the_next(long_voice: np.ndarray) -> None:
    """From row to row nothing changes more than elsewhere, and one window laid over the border agrees."""
    usual = load_network().usual
    rows = encoded(long_voice, usual)
    steps = np.linalg.norm(np.diff(rows, axis=0), axis=1)
    borders = [WINDOW_ROWS - OVERLAP_ROWS, WINDOW_ROWS, 2 * (WINDOW_ROWS - OVERLAP_ROWS)]
    assert max(steps[border - 1 : border + 1].max() for border in borders) < np.percentile(steps, 99)
    start = 300
    across = encode_mel(mel_decades(long_voice, 1.0, start, start + WINDOW_ROWS), usual)
    inner = slice(100, WINDOW_ROWS - 100)
    apart = np.linalg.norm(rows[start:][inner] - across[inner], axis=1)
    assert apart.mean() < 0.4 * np.linalg.norm(rows[start:][inner], axis=1).mean()


def test_a_mel_in_one_piece_is_heard_as_the_sound_is(long_voice: np.ndarray) -> None:
    rows = row_count(long_voice)
    np.testing.assert_allclose(encode_mel(mel_decades(long_voice, 1.0, 0, rows)), encoded(long_voice), atol=1e-3)


def test_no_more_than_a_window_is_held_at_once(long_voice: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def noting(decades: np.ndarray) -> np.ndarray:
        read.append(len(decades) // 2)
        return np.zeros((len(decades) // 2, ENCODER_WIDTH), np.float32)

    monkeypatch.setattr(speech_encoder, "_encode_window", noting)
    pieces = [len(piece) for piece in encode(np.zeros(16000 * 60, np.float32))]
    assert max(read) == WINDOW_ROWS
    assert max(pieces) <= 2 * WINDOW_ROWS
    assert sum(pieces) == 3001
