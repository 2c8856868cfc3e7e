"""What the network is shown in training: random pieces of the clips, aligned and changed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.speech.mouth_augmentation import TEMPO, augmented
from heygem_pipeline.speech.mouth_corpus import Example
from heygem_pipeline.speech.mouth_network import CONTEXT, SILENT_MEL, normalised_mel

BATCH = 24
PIECE_ROWS = 192
KIND_SHARES = {"grid": 0.5, "addresses": 1.0, "generated": 1.0}
"""GRID has 51 words."""
WORST_FIT = 0.3


@dataclass
class Vote:
    """What is known of a clip: its lag (seconds, positive = sound later) and its fit (correlation at that lag)."""

    lag: float = 0.0
    fit: float = 1.0


class Pieces:
    """Random pieces of the clips that have a vote, changed as other microphones and tempos would change them."""

    def __init__(
        self, examples: list[Example], votes: dict[str, Vote], mean_mel: NDArray[np.float32], seed: int
    ) -> None:
        self.chance = np.random.default_rng(seed)
        self.mean_mel = mean_mel
        self.examples = [example for example in examples if votes[example.name].fit > WORST_FIT]
        self.targets = [_target(example, votes[example.name].lag) for example in self.examples]
        shares = np.array(
            [
                len(example.speech.log_mel) * KIND_SHARES[example.kind] * min(1.0, votes[example.name].fit + 0.4)
                for example in self.examples
            ]
        )
        self.shares = shares / shares.sum()

    def batch(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Inputs (batch, 80, rows + 2 x 63) and targets (batch, 5, rows), NaN where nothing was measured."""
        pieces = [self._piece(choice) for choice in self.chance.choice(len(self.examples), BATCH, p=self.shares)]
        return np.stack([mel.T for mel, _ in pieces]), np.stack([target.T for _, target in pieces])

    def _piece(self, choice: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        speech, target = self.examples[choice].speech, self.targets[choice]
        count, tempo = len(target), self.chance.uniform(*TEMPO)
        spare = count - int(np.ceil(PIECE_ROWS * tempo))
        start = self.chance.integers(min(0, spare), max(1, spare + 1))
        positions = start + np.arange(-CONTEXT, PIECE_ROWS + CONTEXT) * tempo
        mel = augmented(_read(speech.log_mel, positions, SILENT_MEL), self.chance)
        activity = _read(speech.activity[:, None], positions, 0)[:, 0]
        normalised = normalised_mel(mel, activity, self.mean_mel)[CONTEXT:-CONTEXT]
        return normalised, _read(target, positions[CONTEXT:-CONTEXT], np.nan)


def _target(example: Example, lag: float) -> NDArray[np.float32]:
    """Measured movement at the feature rows, (rows, 5), the lag removed; NaN outside the picture and without a face."""
    times = np.arange(len(example.speech.log_mel)) / FEATURE_RATE - lag
    position = times / (example.times[1] - example.times[0])
    return _read(example.movement, position, np.nan)


def _read(rows: NDArray[np.float32], positions: NDArray[np.floating], outside: float) -> NDArray[np.float32]:
    """Rows at fractional positions, linearly interpolated; ``outside`` before the first and after the last."""
    held = np.clip(positions, 0, len(rows) - 1)
    below = np.minimum(held.astype(int), max(len(rows) - 2, 0))
    share = (held - below)[:, None]
    above = np.minimum(below + 1, len(rows) - 1)
    read = rows[below] * (1 - share) + rows[above] * share
    read[(positions < 0) | (positions > len(rows) - 1)] = outside
    return read.astype(np.float32)
