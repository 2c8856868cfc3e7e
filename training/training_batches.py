"""What the network is shown in training: random pieces of the clips, aligned and changed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.speech.mouth_network import CONTEXT
from heygem_pipeline.speech.speech_encoder import ENCODER_RATE, MEL_FLOOR, encode_mel
from training.augmentation import TEMPO, augmented
from training.corpus import Example

BATCH_PIECES = 16
PIECE_ROWS = 128
"""2.56 s."""
CHANGED_HEARINGS = 3
"""Copies of each clip that are changed as other microphones, rooms, throats and tempos would change them, and encoded
once: the encoder is too slow to do so for every piece."""
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


@dataclass(frozen=True)
class Hearing:
    """A clip as it is heard once.

    encoded: float16 (rows, 384), the encoder's, without what is usual. tempo: seconds of the clip in one of these.
    """

    encoded: NDArray[np.float16]
    tempo: float = 1.0


@dataclass(frozen=True)
class Encoder:
    """The network's input has ``usual`` (500, 384) taken out and is divided by ``spread`` (384,)."""

    usual: NDArray[np.float32]
    spread: NDArray[np.float32]

    def hear(self, mel: NDArray[np.float32], tempo: float = 1.0) -> Hearing:
        """Encode a clip's mel."""
        return Hearing((encode_mel(mel, self.usual) / self.spread).astype(np.float16), tempo)


def hearings(example: Example, encoder: Encoder, seed: int) -> list[Hearing]:
    """Return a clip as it is, then its changed copies."""
    heard = [encoder.hear(example.mel)]
    chance = np.random.default_rng(seed)
    for _ in range(CHANGED_HEARINGS):
        tempo = chance.uniform(*TEMPO)
        rows = 2 * int(len(example.mel) / tempo / 2)
        slower = _read(example.mel, np.arange(rows) * tempo, MEL_FLOOR)
        heard.append(encoder.hear(augmented(slower, chance), tempo))
    return heard


class Pieces:
    """Random pieces of the clips that have a vote."""

    def __init__(
        self, examples: list[Example], heard: dict[str, list[Hearing]], votes: dict[str, Vote], seed: int
    ) -> None:
        self.chance = np.random.default_rng(seed)
        chosen = [example for example in examples if votes[example.name].fit > WORST_FIT]
        self.heard = [heard[example.name] for example in chosen]
        self.targets = [
            [_target(example, votes[example.name].lag, hearing) for hearing in heard[example.name]]
            for example in chosen
        ]
        shares = np.array([_share(example, votes[example.name]) for example in chosen])
        people = np.array([example.person for example in chosen])
        of_person = np.array([np.sum(shares[people == person]) for person in people])
        # By the root of what there is of each person: variety of voices counts more than minutes.
        shares = shares / np.sqrt(of_person)
        self.shares = shares / shares.sum()

    def batch(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Inputs (batch, rows + 2 x 14, 384) and targets (batch, rows, outputs), NaN where nothing was measured."""
        pieces = [self._piece(choice) for choice in self.chance.choice(len(self.heard), BATCH_PIECES, p=self.shares)]
        return np.stack([heard for heard, _ in pieces]), np.stack([target for _, target in pieces])

    def _piece(self, choice: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        which = int(self.chance.integers(len(self.heard[choice])))
        encoded, target = self.heard[choice][which].encoded, self.targets[choice][which]
        spare = len(encoded) - PIECE_ROWS
        start = int(self.chance.integers(min(0, spare), max(1, spare + 1)))
        return (
            _cut(encoded, start - CONTEXT, start + PIECE_ROWS + CONTEXT, 0.0),
            _cut(target, start, start + PIECE_ROWS, np.nan),
        )


def _share(example: Example, vote: Vote) -> float:
    return len(example.speech.activity) * KIND_SHARES[example.kind] * min(1.0, vote.fit + 0.4)


def _target(example: Example, lag: float, hearing: Hearing) -> NDArray[np.float32]:
    """Movement and whether the lips touch (0..1) at the rows of a hearing; see ``at_rows``."""
    touching = 1 / (1 + np.exp((example.apart - TOUCHING_TARGET_GAP) / TOUCHING_TARGET_BLUR))
    times = np.arange(len(hearing.encoded)) / ENCODER_RATE * hearing.tempo
    return _at(np.column_stack([example.movement, touching]), example, times - lag)


def at_rows(measured: NDArray[np.floating], example: Example, lag: float) -> NDArray[np.float32]:
    """What was measured (frames, n) in a clip at its feature rows, the lag removed; NaN outside the picture and
    without a face."""
    return _at(measured, example, np.arange(len(example.speech.activity)) / FEATURE_RATE - lag)


def _at(measured: NDArray[np.floating], example: Example, times: NDArray[np.floating]) -> NDArray[np.float32]:
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


def _cut(rows: NDArray[np.floating], start: int, stop: int, outside: float) -> NDArray[np.float32]:
    """Rows ``start`` to ``stop - 1``; ``outside`` before the first and after the last."""
    piece = np.full((stop - start, rows.shape[1]), outside, np.float32)
    first, last = max(start, 0), min(stop, len(rows))
    piece[first - start : last - start] = rows[first:last]
    return piece
