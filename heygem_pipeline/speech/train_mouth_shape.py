"""Train the speech-to-mouth network: ``python -m heygem_pipeline.speech.train_mouth_shape CLIPS_FOLDER``.

Under an hour on two cores, repeatable. People are held out in turn (four folds). In every round the networks predict
the mouths of people they have not seen; from these predictions each clip's lag between sound and picture is
estimated, removed for the next round, and clips the sound does not explain lose their vote. The networks of the last
round are shipped as an ensemble, and their held-out predictions give the quantiles the amplitude is matched by.
"""

# torch is an extra, for training only: the checker may not find it.
# pyright: reportMissingImports=false

import argparse
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.alignment import correlation_at_lags
from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.speech.mouth_corpus import Example, load_corpus
from heygem_pipeline.speech.mouth_motion import smoothed, spoken_openness
from heygem_pipeline.speech.mouth_network import (
    CHANNELS,
    DILATIONS,
    WEIGHTS,
    Member,
    MouthNetwork,
    normalised_mel,
    write_network,
)
from heygem_pipeline.speech.mouth_pieces import KIND_SHARES, WORST_FIT, Pieces, Vote

if TYPE_CHECKING:
    from torch import Tensor, nn

log = logging.getLogger(__name__)

FOLDS = 4
ROUND_STEPS = (150, 200, 450)
WIDTH = 96
DROPOUT = 0.2
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-2
CORRELATION_SHARE = 0.5
CHANNEL_SHARES = (1.0, 0.6, 0.6, 0.8, 0.4)
LAGS = np.arange(-40, 41) / FEATURE_RATE
USUAL_LAG = 0.3
"""Seconds; lags beyond it have to be much better than smaller ones."""
KNOTS = 101


def train(examples: list[Example], round_steps: tuple[int, ...] = ROUND_STEPS) -> MouthNetwork:
    """Return the ensemble trained on these clips."""
    import torch

    # One thread: the order of sums, and so the last bits, would depend on the machine otherwise.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    mean_mel = _mean_mel(examples)
    folds = _folds(examples)
    votes = {example.name: Vote() for example in examples}
    members: list[Member] = []
    held_out: dict[str, NDArray[np.float32]] = {}
    for number, steps in enumerate(round_steps):
        members = []
        for fold in range(FOLDS):
            seen = [example for example in examples if folds[example.person] != fold]
            member = _train_one(seen, votes, mean_mel, steps, seed=number * FOLDS + fold)
            members.append(member)
            for example in examples:
                if folds[example.person] == fold:
                    held_out[example.name] = _movement(member, example, mean_mel)
        _estimate_votes(examples, held_out, votes)
        _report(number, examples, held_out, votes)
    predicted, measured = _matching_quantiles(examples, held_out, votes)
    return MouthNetwork(tuple(members), mean_mel, predicted, measured)


def _mean_mel(examples: list[Example]) -> NDArray[np.float32]:
    spoken = [example.speech.log_mel[example.speech.activity > 0.5] for example in examples]
    return np.concatenate(spoken).mean(axis=0, dtype=np.float64).astype(np.float32)


def _folds(examples: list[Example]) -> dict[str, int]:
    """Person to fold, so that the folds hold about the same time."""
    rows: dict[str, int] = {}
    for example in examples:
        rows[example.person] = rows.get(example.person, 0) + len(example.speech.log_mel)
    folds, load = {}, np.zeros(FOLDS)
    for person in sorted(rows, key=lambda person: (-rows[person], person)):
        folds[person] = int(np.argmin(load))
        load[folds[person]] += rows[person]
    return folds


def _movement(member: Member, example: Example, mean_mel: NDArray[np.float32]) -> NDArray[np.float32]:
    return member(normalised_mel(example.speech.log_mel, example.speech.activity, mean_mel))


def _estimate_votes(examples: list[Example], held_out: dict[str, NDArray[np.float32]], votes: dict[str, Vote]) -> None:
    """Lag and fit of each clip; GRID, recorded in one laboratory, is in sync by definition."""
    for example in examples:
        gap = held_out[example.name][:, 0]
        moves = correlation_at_lags(gap, example.movement[:, 0], example.times, LAGS)
        curves = correlation_at_lags(gap, example.movement[:, 0], example.times, LAGS, differences=False)
        best = int(np.argmax(moves + 0.5 * curves - 0.075 * (LAGS / USUAL_LAG) ** 2))
        votes[example.name] = Vote(float(LAGS[best]), float(curves[best]))
    laboratory = [votes[example.name].lag for example in examples if example.kind == "grid"]
    zero = float(np.median(laboratory)) if laboratory else 0.0
    for vote in votes.values():
        vote.lag -= zero


def _report(
    number: int, examples: list[Example], held_out: dict[str, NDArray[np.float32]], votes: dict[str, Vote]
) -> None:
    for kind in KIND_SHARES:
        chosen = [example for example in examples if example.kind == kind]
        best = [
            correlation_at_lags(
                held_out[example.name][:, 0], example.movement[:, 0], example.times, LAGS, differences=False
            ).max()
            for example in chosen
        ]
        fits = [votes[example.name].fit for example in chosen]
        if chosen:
            log.info(
                "round %d, %d clips of %s, people held out: gap correlation at best lag %.3f (median %.3f), %d fit",
                *(number, len(chosen), kind, np.mean(best), np.median(best), sum(fit > WORST_FIT for fit in fits)),
            )


def _matching_quantiles(
    examples: list[Example], held_out: dict[str, NDArray[np.float32]], votes: dict[str, Vote]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Quantiles, (5, knots) each, of held-out predictions and of measured shapes while somebody speaks."""
    predicted, measured = [], []
    for example in examples:
        if votes[example.name].fit <= WORST_FIT:
            continue
        openness = spoken_openness(example.speech)
        rows = np.arange(len(openness)) / FEATURE_RATE
        predicted.append(smoothed(held_out[example.name])[openness > 0.5])
        measured.append(example.shape[np.interp(example.times + votes[example.name].lag, rows, openness) > 0.5])
    shares = np.linspace(0, 100, KNOTS)
    shares[0], shares[-1] = 0.5, 99.5
    return (
        np.nanpercentile(np.concatenate(predicted), shares, axis=0).T.astype(np.float32),
        np.nanpercentile(np.concatenate(measured), shares, axis=0).T.astype(np.float32),
    )


def _train_one(
    examples: list[Example], votes: dict[str, Vote], mean_mel: NDArray[np.float32], steps: int, seed: int
) -> Member:
    import torch

    torch.manual_seed(seed)
    pieces = Pieces(examples, votes, mean_mel, seed)
    network = _torch_network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, steps, pct_start=0.15)
    for _ in range(steps):
        mel, target = (torch.from_numpy(array) for array in pieces.batch())
        loss = _loss(network(mel), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return _member(network)


def _torch_network() -> "nn.Module":
    from torch import Tensor, nn

    class Network(nn.Module):
        """The same network as ``Member``, with dropout."""

        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv1d(80, WIDTH, 1)
            self.layers = nn.ModuleList([nn.Conv1d(WIDTH, WIDTH, 3, dilation=dilation) for dilation in DILATIONS])
            self.last = nn.Conv1d(WIDTH, len(CHANNELS), 1)
            self.drop_input, self.drop = nn.Dropout(DROPOUT / 2), nn.Dropout(DROPOUT)

        def forward(self, mel: Tensor) -> Tensor:
            hidden = self.first(self.drop_input(mel)).relu()
            for dilation, layer in zip(DILATIONS, self.layers, strict=True):
                hidden = hidden[..., dilation:-dilation] + self.drop(layer(hidden).relu())
            return self.last(hidden)

    return Network()


def _loss(predicted: "Tensor", target: "Tensor") -> "Tensor":
    """Smooth L1 plus half of (1 - correlation within each piece), by channel."""
    import torch

    known = torch.isfinite(target)
    target = torch.where(known, target, 0.0)
    weight = known.float()
    distance = torch.nn.functional.smooth_l1_loss(predicted, target, reduction="none") * weight
    count = weight.sum(2, keepdim=True) + 1e-3
    first = (predicted - (predicted * weight).sum(2, keepdim=True) / count) * weight
    second = (target - (target * weight).sum(2, keepdim=True) / count) * weight
    similarity = (first * second).sum(2) / torch.sqrt((first**2).sum(2) * (second**2).sum(2) + 1e-2)
    enough = (weight.sum(2) > 60).float()
    by_channel = distance.sum((0, 2)) / weight.sum((0, 2)).clamp(min=1)
    by_channel = by_channel + CORRELATION_SHARE * ((1 - similarity) * enough).sum(0) / enough.sum(0).clamp(min=1)
    return (by_channel * torch.tensor(CHANNEL_SHARES)).sum()


def _member(network: "nn.Module") -> Member:
    """The trained network in numpy's layout."""
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}

    def layer(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        kernel = state[f"{name}.weight"]
        return np.concatenate([kernel[:, :, tap].T for tap in range(kernel.shape[2])]), state[f"{name}.bias"].copy()

    return Member(layer("first"), tuple(layer(f"layers.{index}") for index in range(len(DILATIONS))), layer("last"))


def main() -> None:
    """Train on a folder of clips and write the weights the package ships."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", type=Path, help="folder with train/grid, train/addresses and train/generated")
    parser.add_argument("--kept", type=Path, help="folder to keep features and face tracks in between runs")
    parser.add_argument("--destination", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    with TemporaryDirectory() as passing:
        examples = load_corpus(arguments.clips, arguments.kept or Path(passing))
    write_network(train(examples), arguments.destination)


if __name__ == "__main__":
    main()
