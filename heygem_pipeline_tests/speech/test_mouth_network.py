"""The shipped network, run in numpy."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.speech import mouth_network
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline.speech.mouth_network import WEIGHTS, load_network, normalised_mel, read_network, write_network


def test_the_weights_fit_into_the_package() -> None:
    assert WEIGHTS.stat().st_size < 5_000_000


def test_it_says_five_numbers_for_every_row(english_speech: SpeechFeatures) -> None:
    movement = load_network().movement(english_speech)
    assert movement.shape == (len(english_speech.level), 5)
    assert movement.dtype == np.float32
    assert np.isfinite(movement).all()


def test_it_says_whether_the_lips_touch(english_speech: SpeechFeatures) -> None:
    outputs = load_network().outputs(english_speech)
    assert outputs.shape == (len(english_speech.level), 6)
    np.testing.assert_array_equal(outputs[:, :5], load_network().movement(english_speech))
    spoken = english_speech.activity > 0.9
    assert np.corrcoef(outputs[spoken, 0], outputs[spoken, 5])[0, 1] < -0.3


def test_a_row_more_or_less_at_the_end_changes_nothing_before(english_speech: SpeechFeatures) -> None:
    mel, activity = english_speech.log_mel[:201], english_speech.activity[:201]
    odd = replace(english_speech, log_mel=mel, activity=activity)
    even = replace(
        english_speech, log_mel=np.append(mel, [[-4.0] * 80], 0).astype(np.float32), activity=np.append(activity, 0)
    )
    assert load_network().outputs(odd).shape == (201, 6)
    np.testing.assert_allclose(load_network().outputs(odd), load_network().outputs(even)[:201], atol=1e-5)


def test_long_voices_are_computed_in_blocks_without_seams(
    english_speech: SpeechFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_network().movement(english_speech)
    monkeypatch.setattr(mouth_network, "_BLOCK_ROWS", 50)
    np.testing.assert_allclose(load_network().movement(english_speech), whole, atol=1e-4)


def test_the_microphone_is_taken_out() -> None:
    mel = np.random.default_rng(0).normal(0, 1, (4000, 80)).astype(np.float32)
    activity = np.ones(4000, np.float32)
    colour = np.linspace(-1, 1, 80, dtype=np.float32)
    plain = normalised_mel(mel, activity, np.zeros(80, np.float32))
    coloured = normalised_mel(mel + colour, activity, np.zeros(80, np.float32))
    inner = slice(mouth_network.CONTEXT, -mouth_network.CONTEXT)
    np.testing.assert_allclose(coloured[inner], plain[inner], atol=0.02)


def test_weights_survive_their_file(english_speech: SpeechFeatures, tmp_path: Path) -> None:
    network = load_network()
    write_network(network, tmp_path / "again.npz")
    again = read_network(tmp_path / "again.npz")
    np.testing.assert_array_equal(again.movement(english_speech), network.movement(english_speech))
    np.testing.assert_array_equal(again.measured, network.measured)
    np.testing.assert_array_equal(again.closing, network.closing)
