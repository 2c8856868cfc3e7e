"""The trained network from speech to mouth movement, run in numpy.

An ensemble of small temporal convolution networks over what the speech encoder hears: a projection of each of its rows,
three residual layers of five taps, a projection to the numbers of a mouth. Trained by
``training/train_mouth_shape.py``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.blas_threads import one_blas_thread
from heygem_pipeline.speech.features import FEATURE_RATE, MOVEMENTS
from heygem_pipeline.speech.mel import SAMPLE_RATE
from heygem_pipeline.speech.speech_encoder import ENCODER_RATE, encode

WEIGHTS = Path(__file__).with_name("mouth_shape.npz")

TAPS, DILATIONS = 5, (1, 2, 4)
CONTEXT = (TAPS - 1) // 2 * sum(DILATIONS)
"""Rows the network sees before and after each row: 14, that is 0.28 s. The encoder's rows have heard more."""

CHANNELS = MOVEMENTS[:-1]
OUTPUTS = len(MOVEMENTS)

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Member:
    """One network of the ensemble; each layer is (weights, bias).

    Attributes:
        first: (384, channels).
        layers: (5 x channels, channels) each, earliest row first.
        last: (channels, outputs).
    """

    first: Layer
    layers: tuple[Layer, ...]
    last: Layer

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Float32 (n + 2 x 14, 384) to (n, outputs)."""
        hidden = np.maximum(rows @ self.first[0] + self.first[1], 0)
        for dilation, (weights, bias) in zip(DILATIONS, self.layers, strict=True):
            count = len(hidden) - (TAPS - 1) * dilation
            stacked = np.concatenate([hidden[tap * dilation :][:count] for tap in range(TAPS)], axis=1)
            middle = hidden[TAPS // 2 * dilation :][:count]
            hidden = middle + np.maximum(stacked @ weights + bias, 0)
        return hidden @ self.last[0] + self.last[1]


@dataclass(frozen=True)
class MouthNetwork:
    """The ensemble, and what its output is scaled by.

    Attributes:
        members: their mean is the prediction.
        usual: float32 (500, 384), what the encoder says of speech on average in each place of its window.
        predicted: float32 (outputs, knots), quantiles of what the network says while somebody speaks, for people it was
            not trained on.
        measured: float32 (channels, knots), the same quantiles of what was measured, in standard units (see
            ``predict_mouth_shape``).
        closing: float32 (2,), log-odds from which lips come nearer and from which they touch.
    """

    members: tuple[Member, ...]
    usual: NDArray[np.float32]
    predicted: NDArray[np.float32]
    measured: NDArray[np.float32]
    closing: NDArray[np.float32]

    def movement(self, samples: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
        """Return float32 (1 + n // 200, outputs), a row every 1/80 s as features have them, columns as MOVEMENTS.

        Channels are in deviations from each person's middle, not yet scaled; the closure is the log-odds that the lips
        touch.

        Args:
            samples: float32 (n,), mono, 16 kHz.
            gain: brings speech to -23 dBFS.
        """
        # More threads are not faster.
        with one_blas_thread():
            said = self.outputs(encode(samples, gain, self.usual))
        return at_feature_rate(said, 1 + len(samples) * FEATURE_RATE // SAMPLE_RATE)

    def outputs(self, encoded: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return float32 (rows, outputs) at the encoder's rate, for its rows in any number of pieces."""
        return np.concatenate([self._mean(block) for block in _with_context(encoded)])

    def _mean(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        total = sum((member(block) for member in self.members), start=np.float32(0))
        return np.asarray(total / np.float32(len(self.members)), np.float32)


def at_feature_rate(rows: NDArray[np.floating], count: int) -> NDArray[np.float32]:
    """Return rows of the encoder's rate at ``count`` feature rows, linearly interpolated."""
    at = np.arange(count) / FEATURE_RATE
    own = np.arange(len(rows)) / ENCODER_RATE
    return np.stack([np.interp(at, own, channel) for channel in rows.T], axis=1).astype(np.float32)


def _with_context(pieces: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Blocks that overlap by twice CONTEXT; zeros before the first row and after the last."""
    held: NDArray[np.float32] | None = None
    for piece in pieces:
        if held is None:
            held = np.zeros((CONTEXT, piece.shape[1]), np.float32)
        held = np.concatenate([held, piece])
        if len(held) > 2 * CONTEXT:
            yield held
            held = held[-2 * CONTEXT :]
    if held is not None:
        yield np.pad(held, ((0, CONTEXT), (0, 0)))


@cache
def load_network() -> MouthNetwork:
    """Return the network the package ships."""
    return read_network(WEIGHTS)


def read_network(path: Path) -> MouthNetwork:
    """Return the network of a file that ``write_network`` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name].astype(np.float32) for name in stored.files}
    members = []
    while f"{len(members)}.first.weights" in arrays:
        names = ["first", *(f"layer{index}" for index in range(len(DILATIONS))), "last"]
        layers = [(arrays[f"{len(members)}.{name}.weights"], arrays[f"{len(members)}.{name}.bias"]) for name in names]
        members.append(Member(layers[0], tuple(layers[1:-1]), layers[-1]))
    return MouthNetwork(tuple(members), arrays["usual"], arrays["predicted"], arrays["measured"], arrays["closing"])


def write_network(network: MouthNetwork, path: Path) -> None:
    """Write a network; weights are kept in half precision, which moves its output by less than a thousandth."""
    arrays: dict[str, NDArray[np.floating]] = {
        "usual": network.usual.astype(np.float16),
        "predicted": network.predicted,
        "measured": network.measured,
        "closing": network.closing,
    }
    for number, member in enumerate(network.members):
        names = ["first", *(f"layer{index}" for index in range(len(DILATIONS))), "last"]
        for name, (weights, bias) in zip(names, [member.first, *member.layers, member.last], strict=True):
            arrays[f"{number}.{name}.weights"] = weights.astype(np.float16)
            arrays[f"{number}.{name}.bias"] = bias
    np.savez_compressed(path, allow_pickle=False, **arrays)
