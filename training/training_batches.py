"""What the network is shown in training: random pieces of the clips, aligned and changed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.speech.mouth_network import CONTEXT, SILENT_MEL, normalised_mel
from training.augmentation import TEMPO, augmented
from training.corpus import Example

BATCH_PIECES = 16
PIECE_ROWS = 384
"""4.8 s, even."""
KIND_SHARES = {"grid": 0.5, "addresses": 1.0, "generated": 1.0}
"""GRID has 51 words."""
WORST_FIT = 0.3

TOUCHING_TARGET_GAP, TOUCHING_TARGET_BLUR = 0.15, 0.04
"""Standard units of the gap: lips touch up to about the first; the second is how unsure the landmarks are."""


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
        shares = np.array([_share(example, votes[example.name]) for example in self.examples])
        people = np.array([example.person for example in self.examples])
        of_person = np.array([np.sum(shares[people == person]) for person in people])
        # By the root of what there is of each person: variety of voices counts more than minutes.
        shares = shares / np.sqrt(of_person)
        self.shares = shares / shares.sum()

    def batch(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Inputs (batch, rows + 2 x 62, 80) and targets (batch, rows, 6), NaN where nothing was measured."""
        pieces = [self._piece(choice) for choice in self.chance.choice(len(self.examples), BATCH_PIECES, p=self.shares)]
        return np.stack([mel for mel, _ in pieces]), np.stack([target for _, target in pieces])

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


def _share(example: Example, vote: Vote) -> float:
    return len(example.speech.log_mel) * KIND_SHARES[example.kind] * min(1.0, vote.fit + 0.4)


def _target(example: Example, lag: float) -> NDArray[np.float32]:
    """Movement and whether the lips touch (0..1) at the feature rows, (rows, 6); see ``at_rows``."""
    touching = 1 / (1 + np.exp((example.apart - TOUCHING_TARGET_GAP) / TOUCHING_TARGET_BLUR))
    return at_rows(np.column_stack([example.movement, touching]), example, lag)


def at_rows(measured: NDArray[np.floating], example: Example, lag: float) -> NDArray[np.float32]:
    """What was measured (frames, n) in a clip at its feature rows, the lag removed; NaN outside the picture and
    without a face."""
    times = np.arange(len(example.speech.log_mel)) / FEATURE_RATE - lag
    return _read(measured, times / (example.times[1] - example.times[0]), np.nan)


def _read(rows: NDArray[np.floating], positions: NDArray[np.floating], outside: float) -> NDArray[np.float32]:
    """Rows at fractional positions, linearly interpolated; ``outside`` before the first and after the last."""
    held = np.clip(positions, 0, len(rows) - 1)
    below = np.minimum(held.astype(int), max(len(rows) - 2, 0))
    share = (held - below)[:, None]
    above = np.minimum(below + 1, len(rows) - 1)
    read = rows[below] * (1 - share) + rows[above] * share
    read[(positions < 0) | (positions > len(rows) - 1)] = outside
    return read.astype(np.float32)
