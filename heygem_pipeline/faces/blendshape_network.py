"""MediaPipe's blendshape network for many faces at once: OpenCV runs it for one, and takes twice as long for it.

It is an MLP-Mixer (Tolstikhin et al. 2021) of four blocks over 97 tokens of 64 channels: one of its own, from which the
blendshapes are read in the end, and 96 that are mixed of the face's points.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

BLOCKS = 4
POINT_SCALE = np.float32(0.5)
"""What the mean distance of the points from their middle becomes."""
LEAST_VARIANCE = np.float32(1.013279e-06)
"""Added to a variance before it is divided by (the network's own, a half-precision 1e-6)."""


class _Dense(NamedTuple):
    """A matrix (outputs, inputs) and what is added, (outputs,)."""

    weights: Values
    bias: Values

    def over_tokens(self, values: Values) -> Values:
        """Of (faces, inputs, channels)."""
        return self.weights @ values + self.bias[:, None]

    def over_channels(self, values: Values) -> Values:
        """Of (faces, tokens, inputs)."""
        return values @ self.weights.T + self.bias


class BlendshapeNetwork:
    """The weights of the network, and what it answers."""

    def __init__(self, network: Any) -> None:  # noqa: ANN401 - cv2.dnn.Net, whose import costs 0.2 s
        """Take the weights from the network as OpenCV has loaded it."""
        layers = [network.getLayer(number + 1) for number in range(len(network.getLayerNames()))]
        self._dense = [
            _Dense(np.array(layer.blobs[0])[:, :, 0, 0], np.array(layer.blobs[1]).ravel())
            for layer in layers
            if layer.type == "Convolution"
        ]
        constants = {layer.name: np.array(layer.blobs[0]) for layer in layers if layer.type == "Const"}
        self._token = next(value for name, value in constants.items() if "AddExtraTokens" in name).reshape(1, 1, -1)
        self._gains = [value.ravel() for name, value in constants.items() if "batchnorm/mul" in name]
        assert len(self._dense) == 4 * BLOCKS + 3 and len(self._gains) == 2 * BLOCKS

    def __call__(self, points: NDArray[np.floating]) -> Values:
        """Return the 52 blendshapes of faces, float32 (faces, 52), 0 to 1.

        Args:
            points: (faces, 146, 2), pixels.
        """
        points = points.astype(np.float32)
        points -= points.mean(axis=1, keepdims=True)
        distance = np.sqrt((points * points).sum(axis=2)).mean(axis=1)
        points *= POINT_SCALE / distance[:, None, None]
        mix, embed, *blocks, read = self._dense
        tokens = embed.over_channels(mix.over_tokens(points))
        values = np.concatenate([np.broadcast_to(self._token, (len(points), 1, tokens.shape[2])), tokens], axis=1)
        for block in range(BLOCKS):
            widen, narrow, *channels = blocks[4 * block : 4 * block + 4]
            if block == BLOCKS - 1:
                # Nothing is read from the other tokens any more.
                narrow = _Dense(narrow.weights[:1], narrow.bias[:1])
            hidden = _rectified(widen.over_tokens(self._normal(values, 2 * block)))
            values = values[:, : len(narrow.bias)] + narrow.over_tokens(hidden)
            hidden = _rectified(channels[0].over_channels(self._normal(values, 2 * block + 1)))
            values = values + channels[1].over_channels(hidden)
        return np.asarray(1 / (1 + np.exp(-read.over_channels(values)[:, 0])), np.float32)

    def _normal(self, values: Values, number: int) -> Values:
        """Every token without its mean, its variance 1, times the gains of its channels."""
        values = values - values.mean(axis=2, keepdims=True)
        variance = np.einsum("ftc,ftc->ft", values, values) / np.float32(values.shape[2])
        values *= self._gains[number]
        values *= (1 / np.sqrt(variance + LEAST_VARIANCE))[..., None]
        return values


def _rectified(values: Values) -> Values:
    return np.maximum(values, 0, out=values)
