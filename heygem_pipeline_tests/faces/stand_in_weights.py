"""Weights, in the files and keys of the published ones, with which face-alignment's networks find painted faces.

A painted face is 68 discs, each of two colours, and a white mark above them. The detector answers to white, and says
that a face lies below the mark. FAN lets the three colours through to its last layer, as they are three pixels to the
left and to the right; each heatmap is the likeness to one disc. Left and right points have each other's colours the
other way round, so that a painted face that is mirrored shows the points a real one would.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # noqa: TID253 - only tests import this module

from heygem_pipeline_tests.faces.shapes import made_face

DETECTOR_FILE = "s3fd-619a316812.pth"
LANDMARKS_FILE = "2DFAN4-11f355bf06.pth.tar"
SPACING = 24.0
"""Pixels of FAN's picture between discs."""
RADIUS = 9.0
BOX = 64.0
"""Side of the box the detector gives, in pixels of the reduced picture."""
MARK_RISE = 1.6
"""How far above the middle of its box the mark lies, in sides of the box: outside of what FAN sees."""


def write_stand_ins(folder: Path) -> None:
    """Write both files into ``folder``, about 190 MB."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    torch.save(_detector().state_dict(), folder / DETECTOR_FILE)
    torch.save(_landmarks().state_dict(), folder / LANDMARKS_FILE)


def disc_layout() -> NDArray[np.float64]:
    """Where the discs lie (68, 2) around the middle, in SPACINGs: a face whose points were pushed onto a grid."""
    columns, rows = np.meshgrid(np.arange(9) - 4.0, np.arange(8) - 3.5)
    cells = np.c_[columns.ravel(), rows.ravel()]
    face = (made_face() - made_face().mean(axis=0)) * 4
    points, chosen = linear_sum_assignment(((face[:, None] - cells[None]) ** 2).sum(axis=-1))
    return cells[chosen[np.argsort(points)]]


def paint_face(frame: NDArray[np.uint8], centre: tuple[float, float], unit: float = 1.0) -> NDArray[np.float64]:
    """Paint a face into a BGR frame and return its 68 points (68, 2), pixels. unit: frame pixels a pixel of FAN's."""
    import cv2

    points = disc_layout() * SPACING * unit + centre
    axes = round(RADIUS * unit * 256), round(RADIUS * unit * 256)
    for (x, y), halves in zip(points, _colours(), strict=True):
        for half, begin in zip(halves, (90, -90), strict=True):
            bgr = tuple(float(value) * 255 for value in half[::-1])
            cv2.ellipse(frame, (round(x * 256), round(y * 256)), axes, 0, begin, begin + 180, bgr, -1, cv2.LINE_AA, 8)
    side = box_side(unit)
    x, y = round(centre[0]), round(centre[1] - MARK_RISE * side)
    reach = max(2, round(side / 30))
    frame[y - reach : y + reach, x - reach : x + reach] = 255
    return points


def box_side(unit: float) -> float:
    """Side of the detector's box, frame pixels, for which FAN sees ``unit`` frame pixels a pixel of its own."""
    return 256 * 195 / 400 * unit


@cache
def _colours() -> NDArray[np.float64]:
    """The red, green and blue of the discs' left and right halves (68, 2, 3), each of length 1, far from each other."""
    import torch
    from face_alignment.utils import shuffle_lr

    mirrored = shuffle_lr(torch.arange(68)[:, None, None])[:, 0, 0].tolist()
    directions = np.random.default_rng(0).uniform(0, 1, (70, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    two = np.stack([np.repeat(directions, 70, axis=0), np.tile(directions, (70, 1))], axis=1)
    taken: list[NDArray[np.float64]] = []
    halves = np.zeros((68, 2, 3))
    for point in sorted(range(68), key=lambda point: mirrored[point] != point):
        other = mirrored[point]
        if other < point:
            continue
        free = two[:: 70 + 1] if other == point else two
        likeness = np.max([np.einsum("nij,ij->n", free, code) for code in [*taken, free[0]]], axis=0)
        if other != point:
            likeness = np.maximum(likeness, 2 * np.einsum("ni,ni->n", free[:, 0], free[:, 1]))
        halves[point] = free[likeness.argmin()]
        halves[other] = halves[point, ::-1]
        taken += [halves[point], halves[other]]
    return halves


def _blank(network: Any) -> Any:
    import torch

    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.zero_()
                if module.bias is not None:
                    module.bias.zero_()
    return network.eval()


def _detector() -> Any:
    import torch
    from face_alignment.detection.sfd.net_s3fd import s3fd

    network = _blank(s3fd())
    with torch.no_grad():
        # Channel 0: how far the colours' sum lies above 600 (their means are taken off before); channel 1: always 1.
        network.conv1_1.weight[0, :, 1, 1] = 0.01
        network.conv1_1.bias[0] = 0.01 * (104 + 117 + 123) - 6.0
        network.conv1_1.bias[1] = 1.0
        for name in ("conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3"):
            layer = getattr(network, name)
            layer.weight[0, 0, 1, 1] = layer.weight[1, 1, 1, 1] = 1.0
        network.conv3_3_norm_mbox_conf.weight[3, 0, 1, 1] = 4.0
        network.conv3_3_norm_mbox_conf.bias[3] = -16.0
        # The box: a share of the anchor's side, 16 pixels, and its size as a logarithm; variances 0.1 and 0.2.
        network.conv3_3_norm_mbox_loc.bias[1] = MARK_RISE * BOX / 16 / 0.1
        network.conv3_3_norm_mbox_loc.bias[2:] = float(np.log(BOX / 16) / 0.2)
        for name in ("conv4_3_norm", "conv5_3_norm", "fc7", "conv6_2", "conv7_2"):
            getattr(network, f"{name}_mbox_conf").bias[0] = 20.0
    return network


def _landmarks() -> Any:
    import torch
    from face_alignment.models import FAN

    network = _blank(FAN(4))
    with torch.no_grad():
        for channel in range(6):
            network.conv1.weight[channel, channel % 3, 3, 0 if channel < 3 else 6] = 1.0
            for block in (network.conv2, network.conv4):
                block.downsample[2].weight[channel, channel] = 1.0
            for stack in range(4):
                # The hourglass adds what it sees at half the size: taken off again.
                hourglass = getattr(network, f"m{stack}")
                hourglass.b3_4.conv1.weight[channel, channel, 1, 1] = -1.0
                getattr(network, f"conv_last{stack}").weight[channel, channel] = 1.0
        network.l3.weight[:, :6, 0, 0] = torch.from_numpy(_colours().reshape(68, 6)).float()
    return network
