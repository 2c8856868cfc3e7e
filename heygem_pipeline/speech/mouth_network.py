"""The trained network from log-mel to mouth movement, run in numpy.

An ensemble of small temporal convolution networks: a projection of each two rows of mel, five residual layers with
dilations 1 to 16, a projection to the numbers of a mouth in both rows. Trained by ``training/train_mouth_shape.py``.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import SpeechFeatures

WEIGHTS = Path(__file__).with_name("mouth_shape.npz")

ROWS_A_STEP = 2
"""Feature rows the network takes at once: mouths move slowly enough for 40 steps a second."""
DILATIONS = (1, 2, 4, 8, 16)
CONTEXT = ROWS_A_STEP * sum(DILATIONS)
"""Rows the network sees before and after each row: 62, that is 0.78 s."""

CHANNELS = ("gap", "width", "jaw", "lower", "upper")
OUTPUTS = len(CHANNELS) + 1
"""The channels, then the closure: log-odds that the lips touch."""

SILENT_MEL = -4.0
"""What lies before the beginning and after the end."""
MEL_SCALE = 1.5
SPECTRUM_PRIOR_ROWS = 40
"""The mean spectrum of a short voice is trusted less: 0.5 s of the training voices' mean is mixed in."""

_BLOCK_ROWS = 4096
"""Rows computed at once (51 s), even: memory does not grow with length."""

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Member:
    """One network of the ensemble; each layer is (weights, bias).

    Attributes:
        first: (160, channels).
        layers: (3 x channels, channels) each, earliest step first.
        last: (channels, 12).
    """

    first: Layer
    layers: tuple[Layer, ...]
    last: Layer

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Float32 (n + 2 x 62, 80), normalised, n even, to (n, 6)."""
        steps = rows.reshape(len(rows) // ROWS_A_STEP, -1)
        hidden = np.maximum(steps @ self.first[0] + self.first[1], 0)
        for dilation, (weights, bias) in zip(DILATIONS, self.layers, strict=True):
            early, middle, late = hidden[: -2 * dilation], hidden[dilation:-dilation], hidden[2 * dilation :]
            stacked = np.concatenate([early, middle, late], axis=1)
            hidden = middle + np.maximum(stacked @ weights + bias, 0)
        return (hidden @ self.last[0] + self.last[1]).reshape(-1, OUTPUTS)


@dataclass(frozen=True)
class MouthNetwork:
    """The ensemble, and what its output is scaled by.

    Attributes:
        members: their mean is the prediction.
        mean_mel: float32 (80,), mean spectrum of the training voices.
        predicted: float32 (6, knots), quantiles of what the network says while somebody speaks, for people it was not
            trained on.
        measured: float32 (5, knots), the same quantiles of what was measured, in standard units (see
            ``predict_mouth_shape``).
        closing: float32 (2,), log-odds from which lips come nearer and from which they touch.
    """

    members: tuple[Member, ...]
    mean_mel: NDArray[np.float32]
    predicted: NDArray[np.float32]
    measured: NDArray[np.float32]
    closing: NDArray[np.float32]

    def outputs(self, speech: SpeechFeatures) -> NDArray[np.float32]:
        """Return float32 (rows, 6), one row every 1/80 s: ``movement``, then log-odds that the lips touch."""
        count = len(speech.log_mel)
        even = count + count % ROWS_A_STEP
        rows = normalised_mel(speech.log_mel, speech.activity, self.mean_mel, even - count)
        result = np.empty((even, OUTPUTS), np.float32)
        for start in range(0, even, _BLOCK_ROWS):
            stop = min(start + _BLOCK_ROWS, even)
            block = rows[start : stop + 2 * CONTEXT]
            result[start:stop] = sum(member(block) for member in self.members) / np.float32(len(self.members))
        return result[:count]

    def movement(self, speech: SpeechFeatures) -> NDArray[np.float32]:
        """Return float32 (rows, 5), one row every 1/80 s, in deviations from each person's middle; not yet scaled."""
        return self.outputs(speech)[:, : len(CHANNELS)]


def normalised_mel(
    log_mel: NDArray[np.float32], activity: NDArray[np.float32], mean_mel: NDArray[np.float32], more: int = 0
) -> NDArray[np.float32]:
    """Return float32 (rows + 2 x 62 + more, 80): silence added at both ends, the voice's own mean spectrum taken out.

    That makes microphones and rooms alike; only rows in which somebody speaks count for the mean.
    """
    spoken = log_mel[activity > 0.5]
    mean = (spoken.sum(axis=0) + SPECTRUM_PRIOR_ROWS * mean_mel) / (len(spoken) + SPECTRUM_PRIOR_ROWS)
    padded = np.pad(log_mel, ((CONTEXT, CONTEXT + more), (0, 0)), constant_values=SILENT_MEL)
    return ((padded - mean) / MEL_SCALE).astype(np.float32)


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
    return MouthNetwork(tuple(members), arrays["mean_mel"], arrays["predicted"], arrays["measured"], arrays["closing"])


def write_network(network: MouthNetwork, path: Path) -> None:
    """Write a network; weights are kept in half precision, which moves its output by less than a thousandth."""
    arrays: dict[str, NDArray[np.floating]] = {
        "mean_mel": network.mean_mel,
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
