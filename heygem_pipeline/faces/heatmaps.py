"""Points from heatmaps, finer than their cells."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LOWEST = 1e-3
"""Share of the peak below which a neighbour counts as this much: logarithms need something."""


def peaks(heatmaps: "Tensor") -> "Tensor":
    """Return the peak (..., 2), x and y, of each heatmap (..., height, width), in cells: centres at 0.5, 1.5 ...

    FAN is trained on Gaussians, so a parabola through the logarithms of the peak and its two neighbours, in x and in y,
    finds the middle exactly where the heatmap is one (Zhang et al. 2020, "Distribution-aware coordinate
    representation"). The usual quarter of a cell towards the higher neighbour leaves steps: on a face 300 pixels wide a
    cell is 10 pixels.
    """
    import torch

    height, width = heatmaps.shape[-2:]
    flat = heatmaps.flatten(-2)
    highest, place = flat.max(dim=-1)
    column, row = place % width, place // width
    top = highest.clamp(min=torch.finfo(flat.dtype).tiny)

    def beside(step: int) -> "Tensor":
        value = flat.gather(-1, (place + step).clamp(0, height * width - 1)[..., None])[..., 0]
        return (value / top).clamp(LOWEST, 1.0).log()

    def offset(before: "Tensor", after: "Tensor", inside: "Tensor") -> "Tensor":
        bend = -(before + after)
        return torch.where(inside & (bend > 0), (after - before) / (2 * bend.clamp(min=1e-9)), 0.0)

    x = offset(beside(-1), beside(1), (column > 0) & (column < width - 1))
    y = offset(beside(-width), beside(width), (row > 0) & (row < height - 1))
    return torch.stack([column + 0.5 + x, row + 0.5 + y], dim=-1)
