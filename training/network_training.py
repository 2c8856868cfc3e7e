"""One network of the ensemble: what it is, what it is taught by, and its training. Needs torch."""

# torch is an extra, for training only: the checker may not find it.
# pyright: reportMissingImports=false

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.mouth_network import CHANNELS, DILATIONS, OUTPUTS, TAPS, Member
from heygem_pipeline.speech.speech_encoder import ENCODER_WIDTH
from training.training_batches import Pieces

if TYPE_CHECKING:
    from torch import Tensor, nn

WIDTH = 96
DROPOUT = 0.25
"""With 0.4 people held out are foretold by 0.007 better after 300 steps; not tried to the end."""
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-2
LARGEST_GRADIENT = 5.0
CORRELATION_SHARE = 1.0
CHANNEL_SHARES = (1.0, 0.6, 0.6, 0.8, 0.5, 0.5, 0.3)
CLOSURE_SHARE = 0.5
TOUCHING_WEIGHT = 3.5
"""Rows with touching lips count so much more: they are a fifth of all."""
FEWEST_ROWS = 40
"""With fewer known rows a piece has no correlation."""


def train_member(pieces: Pieces, spread: NDArray[np.float32], steps: int, seed: int) -> Member:
    """Return a network trained on so many batches of pieces. The seed decides its first weights and its dropout.

    spread: what the pieces were divided by.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    network = torch_network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, steps, pct_start=0.15)
    for _ in range(steps):
        rows, target = (torch.from_numpy(array) for array in pieces.batch())
        loss = _loss(network(rows), target)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        schedule.step()
    return member_of(network.eval(), spread)


def torch_network() -> "nn.Module":
    """Return the untrained network."""
    from torch import Tensor, nn

    class Network(nn.Module):
        """The same network as ``Member``, with dropout."""

        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(ENCODER_WIDTH, WIDTH)
            self.layers = nn.ModuleList([nn.Conv1d(WIDTH, WIDTH, TAPS, dilation=dilation) for dilation in DILATIONS])
            self.last = nn.Linear(WIDTH, OUTPUTS)
            self.drop_input, self.drop = nn.Dropout(DROPOUT / 2), nn.Dropout(DROPOUT)

        def forward(self, rows: Tensor) -> Tensor:
            """(pieces, rows + 2 x 14, 384) to (pieces, rows, outputs)."""
            hidden = self.first(self.drop_input(rows)).relu().transpose(1, 2)
            for dilation, layer in zip(DILATIONS, self.layers, strict=True):
                reach = TAPS // 2 * dilation
                hidden = hidden[:, :, reach:-reach] + self.drop(layer(hidden).relu())
            return self.last(hidden.transpose(1, 2))

    return Network()


def _loss(predicted: "Tensor", target: "Tensor") -> "Tensor":
    """By channel, smooth L1 plus (1 - correlation within each piece); for touching lips, balanced cross entropy."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

    known = torch.isfinite(target)
    target = torch.where(known, target, 0.0)
    movement, truth, weight = (part[..., : len(CHANNELS)] for part in (predicted, target, known.float()))
    distance = smooth_l1_loss(movement, truth, reduction="none") * weight
    count = weight.sum(1, keepdim=True) + 1e-3
    first = (movement - (movement * weight).sum(1, keepdim=True) / count) * weight
    second = (truth - (truth * weight).sum(1, keepdim=True) / count) * weight
    similarity = (first * second).sum(1) / torch.sqrt((first**2).sum(1) * (second**2).sum(1) + 1e-2)
    enough = (weight.sum(1) > FEWEST_ROWS).float()
    by_channel = distance.sum((0, 1)) / weight.sum((0, 1)).clamp(min=1)
    by_channel = by_channel + CORRELATION_SHARE * ((1 - similarity) * enough).sum(0) / enough.sum(0).clamp(min=1)
    touching = target[..., -1]
    counts = known[..., -1] * (1 + (TOUCHING_WEIGHT - 1) * touching)
    surprise = binary_cross_entropy_with_logits(predicted[..., -1], touching, reduction="none")
    closure = (surprise * counts).sum() / counts.sum().clamp(min=1)
    return (by_channel * torch.tensor(CHANNEL_SHARES)).sum() + CLOSURE_SHARE * closure


def member_of(network: "nn.Module", spread: NDArray[np.float32]) -> Member:
    """Return the trained network in numpy's layout, for rows that were not divided by ``spread``."""
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}

    def layer(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        weights = state[f"{name}.weight"]
        # A convolution's are (out, in, taps).
        rows = weights.transpose(0, 2, 1).reshape(len(weights), -1) if weights.ndim == 3 else weights
        return np.ascontiguousarray(rows.T), state[f"{name}.bias"].copy()

    first, bias = layer("first")
    layers = tuple(layer(f"layers.{index}") for index in range(len(DILATIONS)))
    return Member((first / spread[:, None], bias), layers, layer("last"))
