"""Train the speech-to-mouth network: ``python -m training.train_mouth_shape CLIPS_FOLDER``.

A quarter of an hour on one core, repeatable; the clips' faces are followed first, at about 60 frames a second. What
the speech encoder hears of each clip, as it is and changed as other voices and rooms would, is the network's input
(``training_batches.py``). People are held out in turn (four folds). In every round the networks predict
the mouths of people they have not seen; from these predictions each clip's lag between sound and picture is
estimated, removed for the next round, and clips the sound does not explain lose their vote. In the last round several
networks are trained on each fold; all of them are shipped as an ensemble. Their held-out predictions give the quantiles
the amplitude is matched by, and the log-odds from which lips are closed.
"""

# torch is an extra, for training only: the checker may not find it.
# pyright: reportMissingImports=false

import argparse
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.cross_correlation import correlation_at_lags
from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.speech.lip_closures import find_closures, peak_heights
from heygem_pipeline.speech.mouth_motion import low_pass, normalise_range, speech_envelope
from heygem_pipeline.speech.mouth_network import (
    CHANNELS,
    WEIGHTS,
    Member,
    MouthNetwork,
    at_feature_rate,
    write_network,
)
from heygem_pipeline.speech.speech_encoder import WINDOW_ROWS, encode_mel
from training.corpus import Example, load_corpus
from training.network_training import train_member
from training.training_batches import KIND_SHARES, WORST_FIT, Encoder, Pieces, Vote, at_rows, hearings

log = logging.getLogger(__name__)

FOLDS = 4
ROUND_STEPS = (150, 250, 600)
LAST_NETWORKS = 2
"""Networks trained on each fold in the last round."""
TOUCHED, BROUGHT_NEARER = 0.75, 0.85
"""Shares of the measured closures of people held out at which lips shall touch, and at least come nearer. The gap is
low at many others already: with these it is under 0.125 at 88 % of 691 closures (42 % if they lay elsewhere), and in
6.6 % of the time in which the mouth is clearly open; with 0.65 and 0.8 at 84 % and 5.2 %, with 0.8 and 0.9 at 93 % and
8.9 %, but the opening follows less well then (0.767 instead of 0.784)."""
COMPARED_LAGS = np.arange(-40, 41) / FEATURE_RATE
USUAL_LAG = 0.3
"""Seconds; lags beyond it have to be much better than smaller ones."""
KNOTS = 101
LEAST_SPREAD = 1e-3


def train(
    examples: list[Example], round_steps: tuple[int, ...] = ROUND_STEPS, last_networks: int = LAST_NETWORKS
) -> MouthNetwork:
    """Return the ensemble trained on these clips."""
    import torch

    # One thread: the order of sums, and so the last bits, would depend on the machine otherwise.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    encoder = _encoder(examples)
    heard = {example.name: hearings(example, encoder, seed) for seed, example in enumerate(examples)}
    log.info("%d clips encoded", len(heard))
    folds = _folds(examples)
    votes = {example.name: Vote() for example in examples}
    members: list[Member] = []
    held_out: dict[str, NDArray[np.float32]] = {}
    for number, steps in enumerate(round_steps):
        members = []
        networks = last_networks if number == len(round_steps) - 1 else 1
        for fold in range(FOLDS):
            seen = [example for example in examples if folds[example.person] != fold]
            seeds = [number * 1000 + fold * 100 + index for index in range(networks)]
            of_fold = [train_member(Pieces(seen, heard, votes, seed), encoder.spread, steps, seed) for seed in seeds]
            members += of_fold
            log.info("round %d, fold %d: %d steps, %d networks", number, fold, steps, networks)
            for example in examples:
                if folds[example.person] == fold:
                    held_out[example.name] = _outputs(of_fold, example, encoder.usual)
        _estimate_votes(examples, held_out, votes)
        _report(number, examples, held_out, votes)
    predicted, measured = _matching_quantiles(examples, held_out, votes)
    closing = _closing_log_odds(examples, held_out, votes, predicted[len(CHANNELS)])
    return MouthNetwork(tuple(members), encoder.usual, predicted, measured, closing)


def _encoder(examples: list[Example]) -> Encoder:
    """What the encoder says on average in each place of its window, and how far each of its numbers spreads.

    All speech one after the other, in windows that begin every 5 s.
    """
    speech = np.concatenate([example.mel for example in examples])
    speech = np.tile(speech, (1 + 2 * WINDOW_ROWS // len(speech), 1))
    starts = range(0, max(1, len(speech) - 2 * WINDOW_ROWS), WINDOW_ROWS)
    windows = [encode_mel(speech[start : start + 2 * WINDOW_ROWS]) for start in starts]
    # As the file of the weights keeps it.
    usual = np.mean(windows, axis=0).astype(np.float16).astype(np.float32)
    spread = np.sqrt(np.mean([np.square(window - usual).mean(axis=0) for window in windows], axis=0))
    return Encoder(usual, (spread + LEAST_SPREAD).astype(np.float32))


def _folds(examples: list[Example]) -> dict[str, int]:
    """Person to fold, so that the folds hold about the same time."""
    rows: dict[str, int] = {}
    for example in examples:
        rows[example.person] = rows.get(example.person, 0) + len(example.speech.activity)
    folds, load = {}, np.zeros(FOLDS)
    for person in sorted(rows, key=lambda person: (-rows[person], person)):
        folds[person] = int(np.argmin(load))
        load[folds[person]] += rows[person]
    return folds


def _outputs(members: list[Member], example: Example, usual: NDArray[np.float32]) -> NDArray[np.float32]:
    none = np.zeros((1, 1), np.float32)
    said = MouthNetwork(tuple(members), usual, none, none, none).outputs([encode_mel(example.mel, usual)])
    return at_feature_rate(said, len(example.speech.activity))


def _estimate_votes(examples: list[Example], held_out: dict[str, NDArray[np.float32]], votes: dict[str, Vote]) -> None:
    """Lag and fit of each clip; GRID, recorded in one laboratory, is in sync by definition."""
    for example in examples:
        gap = held_out[example.name][:, 0]
        moves = correlation_at_lags(gap, example.movement[:, 0], example.times, COMPARED_LAGS)
        curves = correlation_at_lags(gap, example.movement[:, 0], example.times, COMPARED_LAGS, differences=False)
        best = int(np.argmax(moves + 0.5 * curves - 0.075 * (COMPARED_LAGS / USUAL_LAG) ** 2))
        votes[example.name] = Vote(float(COMPARED_LAGS[best]), float(curves[best]))
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
                held_out[example.name][:, 0], example.movement[:, 0], example.times, COMPARED_LAGS, differences=False
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
    """Quantiles while somebody speaks: of held-out predictions, (outputs, knots), and of measured
    shapes, (channels, knots)."""
    predicted, measured = [], []
    for example in examples:
        if votes[example.name].fit <= WORST_FIT:
            continue
        openness = speech_envelope(example.speech)
        rows = np.arange(len(openness)) / FEATURE_RATE
        predicted.append(low_pass(held_out[example.name])[openness > 0.5])
        measured.append(example.shape[np.interp(example.times + votes[example.name].lag, rows, openness) > 0.5])
    shares = np.linspace(0, 100, KNOTS)
    shares[0], shares[-1] = 0.5, 99.5
    return (
        np.nanpercentile(np.concatenate(predicted), shares, axis=0).T.astype(np.float32),
        np.nanpercentile(np.concatenate(measured), shares, axis=0).T.astype(np.float32),
    )


def _closing_log_odds(
    examples: list[Example],
    held_out: dict[str, NDArray[np.float32]],
    votes: dict[str, Vote],
    usual: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Heights that the peaks reach at BROUGHT_NEARER and at TOUCHED of the measured closures of people held out."""
    heights: list[float] = []
    for example in examples:
        vote = votes[example.name]
        if vote.fit > WORST_FIT:
            apart = at_rows(example.apart[:, None], example, vote.lag)[:, 0]
            spoken = speech_envelope(example.speech) > 0.5
            log_odds = normalise_range(low_pass(held_out[example.name])[:, len(CHANNELS)], spoken, usual)
            heights += peak_heights(find_closures(apart, example.speech.activity > 0.5), log_odds)
    found = np.sort(heights)
    if not len(found) or not np.isfinite(found[-1]):
        return np.array([np.inf, np.inf], np.float32)
    lowest = found[np.isfinite(found)][0]
    shares = np.array([1 - BROUGHT_NEARER, 1 - TOUCHED])
    closing = np.maximum(found[(shares * len(found)).astype(int)], lowest)
    log.info(
        "%d closures of people held out: lips come nearer from log-odds %.2f, touch from %.2f", len(found), *closing
    )
    return closing.astype(np.float32)


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
