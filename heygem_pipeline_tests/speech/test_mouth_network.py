"""The shipped network, run in numpy."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.media.sound import Sound
from heygem_pipeline.speech.analysis import ANALYSIS_VERSION, extract_features
from heygem_pipeline.speech.features import MOVEMENTS, SpeechFeatures
from heygem_pipeline.speech.mouth_network import CONTEXT, WEIGHTS, load_network, read_network, write_network
from heygem_pipeline.speech.speech_encoder import ENCODER_WIDTH

ANALYSED_WITH = {"2": "30d0f086430c9c6fc667ccafc623714ff6a0c914ade3b658d9d6452520f951c6"}
"""Version of the analysis -> the weights it uses. Voices analysed with other weights have to be analysed anew."""


def test_other_weights_are_another_version_of_the_analysis() -> None:
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() == ANALYSED_WITH[ANALYSIS_VERSION]


def test_the_weights_fit_into_the_package() -> None:
    assert WEIGHTS.stat().st_size < 5_000_000


def test_it_says_what_the_mouth_does_in_every_row(english_speech: SpeechFeatures) -> None:
    assert english_speech.movement.shape == (len(english_speech.level), len(MOVEMENTS))
    assert english_speech.movement.dtype == np.float32
    assert np.isfinite(english_speech.movement).all()


def test_it_says_whether_the_lips_touch(english_speech: SpeechFeatures) -> None:
    spoken = english_speech.activity > 0.9
    gap, closure = english_speech.movement[spoken][:, [0, -1]].T
    assert np.corrcoef(gap, closure)[0, 1] < -0.3


@pytest.mark.parametrize("count", [0, 1, 199, 200, 319, 320, 1600, 4801])
def test_the_shortest_sounds_have_a_row_for_every_row_of_features(english: Sound, count: int) -> None:
    movement = load_network().movement(english.samples[16000:][:count], 1.0)
    assert movement.shape == (1 + count // 200, len(MOVEMENTS))
    assert np.isfinite(movement).all()


def test_the_number_of_threads_does_not_change_a_bit(english: Sound, english_speech: SpeechFeatures) -> None:
    from threadpoolctl import threadpool_limits

    for threads in (1, 2):
        with threadpool_limits(threads):
            np.testing.assert_array_equal(extract_features(english).movement, english_speech.movement)


@pytest.mark.parametrize("pieces", [[300], [1] * 300, [10, 200, 5, 85], [299, 1]])
def test_pieces_have_no_seams(pieces: list[int]) -> None:
    rows = np.random.default_rng(0).normal(0, 0.3, (300, ENCODER_WIDTH)).astype(np.float32)
    ends = np.cumsum(pieces)
    cut = [rows[end - length : end] for end, length in zip(ends, pieces, strict=True)]
    network = load_network()
    padded = np.pad(rows, ((CONTEXT, CONTEXT), (0, 0)))
    expected = np.mean([member(padded) for member in network.members], axis=0)
    np.testing.assert_allclose(network.outputs(cut), expected, atol=1e-4)


def test_weights_survive_their_file(english: Sound, english_speech: SpeechFeatures, tmp_path: Path) -> None:
    network = load_network()
    write_network(network, tmp_path / "again.npz")
    again = read_network(tmp_path / "again.npz")
    for name in ("usual", "predicted", "measured", "closing"):
        np.testing.assert_array_equal(getattr(again, name), getattr(network, name))
    for one, other in zip(again.members, network.members, strict=True):
        np.testing.assert_array_equal(one.first[0], other.first[0])
        np.testing.assert_array_equal(one.layers[2][1], other.layers[2][1])
