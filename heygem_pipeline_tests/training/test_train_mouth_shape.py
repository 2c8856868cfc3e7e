"""Training: small, but the real thing."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.lipsync.contract.material import made_features
from heygem_pipeline.speech.features import FEATURE_RATE, MEL_BANDS
from heygem_pipeline.speech.lip_closures import closure_strength, find_closures
from heygem_pipeline.speech.mouth_network import CHANNELS, OUTPUTS, MouthNetwork, at_feature_rate
from heygem_pipeline.speech.speech_encoder import MEL_RATE, encode_mel
from training import network_training, train_mouth_shape, training_batches
from training.corpus import Example
from training.train_mouth_shape import train
from training.training_batches import at_rows

torch = pytest.importorskip("torch")

LATE = 10
"""Rows by which the sound of one person comes after the picture."""


def talker(number: int, sound_later_by: int = 0) -> Example:
    """Eight seconds in which the mouth opens when the upper half of the spectrum is loud."""
    chance = np.random.default_rng(number)
    opening = np.convolve(chance.normal(size=8 * FEATURE_RATE), np.hanning(17), "same")
    opening /= opening.std()
    heard = np.interp(
        np.arange(8 * MEL_RATE) / MEL_RATE, np.arange(len(opening)) / FEATURE_RATE, np.roll(opening, sound_later_by)
    )
    mel = chance.normal(-5, 0.2, (len(heard), MEL_BANDS))
    mel[:, 40:] += heard[:, None]
    times = np.arange(8 * 25) / 25
    seen = np.interp(times, np.arange(len(opening)) / FEATURE_RATE, opening)
    return Example(
        name=f"{number}.mp4",
        person=str(number),
        kind="addresses" if sound_later_by else "grid",
        speech=made_features(np.ones(len(opening))),
        mel=mel.astype(np.float32),
        times=times,
        movement=np.repeat(seen[:, None], len(CHANNELS), axis=1).astype(np.float32),
        shape=np.repeat(seen[:, None], len(CHANNELS), axis=1).astype(np.float32),
        apart=(0.5 + 0.4 * seen).astype(np.float32),
    )


def said(network: MouthNetwork, example: Example) -> NDArray[np.float32]:
    """What the network says of a clip, at the feature rate."""
    rows = network.outputs([encode_mel(example.mel, network.usual)])
    return at_feature_rate(rows, len(example.speech.activity))


@pytest.fixture(scope="module", autouse=True)
def small_and_quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_training, "WIDTH", 24)
        patch.setattr(training_batches, "BATCH_PIECES", 6)
        patch.setattr(training_batches, "CHANGED_HEARINGS", 1)
        patch.setattr(network_training, "LEARNING_RATE", 1e-2)
        yield


@pytest.fixture(scope="module")
def corpus() -> list[Example]:
    return [talker(number) for number in range(7)] + [talker(7, LATE)]


@pytest.fixture(scope="module")
def network(corpus: list[Example]) -> MouthNetwork:
    return train(corpus, (15, 25), 1)


def test_it_learns_what_opens_the_mouth(network: MouthNetwork) -> None:
    stranger = talker(99)
    rows = np.arange(len(stranger.speech.activity)) / FEATURE_RATE
    predicted = np.interp(stranger.times, rows, said(network, stranger)[:, 0])
    assert np.corrcoef(predicted, stranger.movement[:, 0])[0, 1] > 0.8


def test_quantiles_match_in_order(network: MouthNetwork) -> None:
    assert network.predicted.shape == (OUTPUTS, train_mouth_shape.KNOTS)
    assert network.measured.shape == (len(CHANNELS), train_mouth_shape.KNOTS)
    assert np.all(np.diff(network.predicted, axis=1) >= 0)
    assert np.all(np.diff(network.measured, axis=1) >= 0)


def test_training_again_gives_the_same_weights(corpus: list[Example]) -> None:
    first, second = (train(corpus[:5], (2, 2), 2) for _ in range(2))
    for one, other in zip(first.members, second.members, strict=True):
        np.testing.assert_array_equal(one.first[0], other.first[0])
        np.testing.assert_array_equal(one.last[0], other.last[0])
    assert len(first.members) == 2 * train_mouth_shape.FOLDS
    assert len({member.first[0].tobytes() for member in first.members}) == len(first.members)


def test_it_learns_when_lips_touch(network: MouthNetwork) -> None:
    stranger = talker(99)
    touching = at_rows(stranger.apart[:, None], stranger, 0)[:, 0] < training_batches.TOUCHING_TARGET_GAP
    log_odds = said(network, stranger)[:, -1]
    assert np.median(log_odds[touching]) > np.percentile(log_odds[~touching], 75)


def test_lips_are_closed_at_most_closures_of_people_held_out(network: MouthNetwork) -> None:
    nearer, touching = network.closing
    assert nearer <= touching
    stranger = talker(99)
    closures = find_closures(at_rows(stranger.apart[:, None], stranger, 0)[:, 0], stranger.speech.activity > 0.5)
    together = closure_strength(said(network, stranger)[:, -1], nearer, touching)
    assert len(closures) > 5
    assert np.mean([together[max(0, row - 4) : row + 5].max() == 1 for row in closures]) > 0.6


def test_a_late_sound_is_noticed(corpus: list[Example], network: MouthNetwork) -> None:
    held_out = {example.name: said(network, example) for example in corpus}
    votes = {example.name: train_mouth_shape.Vote() for example in corpus}
    train_mouth_shape._estimate_votes(corpus, held_out, votes)
    assert votes["7.mp4"].lag == pytest.approx(LATE / FEATURE_RATE, abs=1.5 / FEATURE_RATE)
    assert votes["0.mp4"].lag == pytest.approx(0, abs=1.5 / FEATURE_RATE)


def test_nobody_is_judged_by_a_network_that_knows_them(corpus: list[Example]) -> None:
    twice = [*corpus, replace(corpus[0], name="again.mp4")]
    folds = train_mouth_shape._folds(twice)
    assert set(folds) == {example.person for example in corpus}
    assert set(folds.values()) == set(range(train_mouth_shape.FOLDS))


def test_numpy_and_torch_agree(corpus: list[Example], network: MouthNetwork) -> None:
    model = network_training.torch_network().eval()
    rows = encode_mel(corpus[0].mel, network.usual)
    spread = rows.std(axis=0)
    with torch.no_grad():
        expected = model(torch.from_numpy((rows / spread)[None]))[0].numpy()
    np.testing.assert_allclose(network_training.member_of(model, spread)(rows), expected, atol=1e-3)
