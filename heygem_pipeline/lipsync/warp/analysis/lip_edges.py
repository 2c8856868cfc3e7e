"""The true lines of the lips' inner edges, read from the picture.

A tracker's lines are smooth and steady, and off by a lip's rim where lips part a little: moustaches, thin lips and
teeth look to it like a larger opening. So near them the lines are looked for in the picture.
First the darkest smooth path between the corners: the crease of touching lips, and somewhere within the opening of
parted ones. Then, from there up and down, how far it is until the colour is that lip's own again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.analysis.lip_colour import LipColour, measure_lip_colour, to_lab
from heygem_pipeline.lipsync.warp.analysis.minimal_paths import binomial_smooth, minimal_paths, pad_edges, subpixel_rows
from heygem_pipeline.lipsync.warp.analysis.order_statistics import median
from heygem_pipeline.lipsync.warp.contours import MouthContours

STRIP_COLUMNS = 41
ROW_HEIGHT = 0.005
"""Distance of the strip's rows, IOD."""

CREASE_SEARCH_REACH = 0.06
"""How far from the predicted line the crease is looked for, IOD."""

EDGE_SEARCH_MARGIN = 0.02
"""How far beyond that an edge may lie, IOD."""

CREASE_STEP, EDGE_STEP = 0.06, 0.25
"""Cost of a path's move by one row from a column to the next, in units of its darkness or contrast."""

FAR_COST = 0.25
"""Cost of a crease at the end of its reach, in units of its darkness; it grows with the square of the way."""

EDGE_ROWS = 3
"""Rows above and below an edge whose colours are compared."""

NOT_LIP_DEVIATIONS = 4.0, 8.0
"""Deviations from a lip's colour of what is not lip: the crease's own, within these bounds. Half of it is the edge."""

EDGE_WEIGHT, REGION_WEIGHT = 5.0, 0.6
"""Weight of the colour's change across an edge, and of every row between it and the crease that looks (un)like lip."""

LANDMARK_ERROR = 0.008
"""How far the tracker's inner lines are usually off, IOD.

Self-reenactment of three people who speak, with the mesh's lines: mean SSIM of way B, held and half, .712 and .617 with
this value, .703 and .610 with .015, .705 and .603 with the mesh's lines alone."""

LEAST_LIP_SHARE, THIN_LIP_COST = 0.2, 0.6
"""Share of a lip's height, as the landmarks have it, that is lip at least, and cost of every row that it lacks."""

LIP_SHARES = np.array([0.3, 0.45, 0.6])
"""Of a lip's height, from its border: where its own colour is read."""


CREASE_HEIGHT, CREASE_BLUR_PIXELS = 0.035, 1.0
"""Height of what looks unlike lips where they touch: IOD for the crease, and as many pixels for its blur."""


@dataclass(frozen=True)
class LipEdges:
    """Inner edges of the lips in one frame, at 41 places from corner to corner; head frame, IOD.

    Attributes:
        x: float64 (41,), the places from corner to corner.
        seam: float64 (41,), height of the darkest line between the lips.
        upper: float64 (41,), where the upper lip's own colour ends: close to the seam where the lips touch.
        lower: float64 (41,), where the lower lip's own colour begins.
        crease: float32 (3,), median BGR along the seam.
        pixel: size of the frame's pixels, IOD.
        colours: of the upper and the lower lip.
    """

    x: NDArray[np.float64]
    seam: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    crease: NDArray[np.float32]
    pixel: float
    colours: tuple[LipColour, LipColour]

    @property
    def crease_height(self) -> float:
        """How tall the dark line of touching lips may look in this frame, IOD."""
        return CREASE_HEIGHT + CREASE_BLUR_PIXELS * self.pixel

    @property
    def touching(self) -> bool:
        """Nothing but a crease is seen between the lips' middles."""
        third = len(self.x) // 3
        return float(median((self.lower - self.upper)[third:-third])) < self.crease_height


@dataclass(frozen=True)
class SeenLips:
    """Lips of one frame that are to be read.

    Attributes:
        frame: uint8 (h, w, 3) BGR.
        head: of the frame.
        contours: the predicted lips.
        anew: nothing is known of their colours from the frame before.
    """

    frame: NDArray[np.uint8]
    head: HeadFrame
    contours: MouthContours
    anew: bool = False


def detect_lip_edges(lips: Sequence[SeenLips], before: LipEdges | None = None) -> list[LipEdges]:
    """Read the lips' inner edges in frames that follow each other, at once, which takes less time; at least one.

    Args:
        before: the lines of the frame before, whose colours are the better known ones.
    """
    strips = [_strip(one) for one in lips]
    paths = minimal_paths([strip.darkness for strip in strips], CREASE_STEP)
    colours = []
    usual = None if before is None else before.colours
    for one, strip, path in zip(lips, strips, paths, strict=True):
        seam = strip.middle + strip.rows[path]
        here = (
            measure_lip_colour(_sample_lip(one.frame, one.head, strip.x, strip.top, np.minimum(strip.upper, seam))),
            measure_lip_colour(_sample_lip(one.frame, one.head, strip.x, strip.bottom, np.maximum(strip.lower, seam))),
        )
        usual = here if usual is None or one.anew else (usual[0].toward(here[0]), usual[1].toward(here[1]))
        colours.append(usual)
    costs = [_costs_of_edges(*of_frame) for of_frame in zip(strips, paths, colours, strict=True)]
    edge_paths = minimal_paths([cost for both in costs for cost in both], EDGE_STEP)
    found = []
    for number, (one, strip, path) in enumerate(zip(lips, strips, paths, strict=True)):
        upper, lower = _edges(costs[number], edge_paths[2 * number : 2 * number + 2], path)
        crease = median(strip.colours[path, np.arange(STRIP_COLUMNS)][10:31], axis=0)
        found.append(
            LipEdges(
                x=strip.x,
                seam=strip.height_of(binomial_smooth(subpixel_rows(strip.darkness, path))),
                upper=strip.height_of(upper),
                lower=strip.height_of(lower),
                crease=crease.astype(np.float32),
                pixel=one.head.scale,
                colours=colours[number],
            )
        )
    return found


@dataclass(frozen=True)
class _Strip:
    """The pixels along a mouth, from corner to corner, and where the landmarks have its lines there; head frame.

    Attributes:
        x: float64 (columns,).
        upper: float64 (columns,), inner line of the upper lip; the other lines likewise.
        middle: between the inner ones, where the strip's own middle row lies.
        rows: float64 (rows,), their distances from it, IOD.
        colours: uint8 (rows, columns, 3) BGR.
        lab: float32, the same, CIE L*a*b*.
        darkness: float32 (rows, columns), the cost of a crease.
    """

    x: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    top: NDArray[np.float64]
    bottom: NDArray[np.float64]
    middle: NDArray[np.float64]
    rows: NDArray[np.float64]
    colours: NDArray[np.uint8]
    lab: NDArray[np.float32]
    darkness: NDArray[np.float32]

    @property
    def half(self) -> int:
        """Rows above the middle one."""
        return len(self.rows) // 2

    def height_of(self, row: NDArray[np.float64]) -> NDArray[np.float64]:
        """Y of a row at every column."""
        return self.middle + ROW_HEIGHT * (row - self.half)


def _strip(lips: SeenLips) -> _Strip:
    contours = lips.contours
    left, right = contours.upper_outer[0], contours.upper_outer[-1]
    x = np.linspace(left[0], right[0], STRIP_COLUMNS)
    upper, lower = (_predicted(inner, left, right, x) for inner in (contours.upper_inner, contours.lower_inner))
    top, bottom = (np.interp(x, outer[:, 0], outer[:, 1]) for outer in (contours.upper_outer, contours.lower_outer))
    middle = (upper + lower) / 2
    half = int((CREASE_SEARCH_REACH + EDGE_SEARCH_MARGIN + float((lower - upper).max()) / 2) / ROW_HEIGHT)
    rows = ROW_HEIGHT * np.arange(-half, half + 1, dtype=np.float64)
    colours = _sample(lips.frame, lips.head, x, middle + rows[:, None])
    lab = to_lab(colours)
    darkness = _darkness(lab[..., 0], rows, CREASE_SEARCH_REACH + (lower - upper) / 2)
    return _Strip(x, upper, lower, top, bottom, middle, rows, colours, lab, darkness)


def _predicted(
    inner: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.interp(x, np.r_[left[0], inner[1:-1, 0], right[0]], np.r_[left[1], inner[1:-1, 1], right[1]])


def _sample(
    frame: NDArray[np.uint8], head: HeadFrame, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Colours at head-frame places: x (columns,), y (rows, columns)."""
    import cv2

    column, row = head.to_pixel_maps(x, y)
    return np.asarray(cv2.remap(frame, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _sample_lip(
    frame: NDArray[np.uint8],
    head: HeadFrame,
    x: NDArray[np.float64],
    border: NDArray[np.float64],
    inner: NDArray[np.float64],
) -> NDArray[np.float32]:
    """L*a*b* of three rows within a lip, nearer to its border than to what may be teeth."""
    return to_lab(_sample(frame, head, x, border + LIP_SHARES[:, None] * (inner - border)))


def _darkness(
    lightness: NDArray[np.float32], rows: NDArray[np.float64], reach: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Cost of a crease, 0 = as dark as it gets .. 1 = as light as the lips."""
    low, high = np.percentile(lightness, (2, 90))
    # Far rows pay a little, so that a nostril's shadow or a moustache does not win over the crease.
    far = FAR_COST * (rows[:, None] / reach) ** 2
    return ((lightness - low) / max(float(high - low), 1.0) + far).astype(np.float32)


def _costs_of_edges(
    strip: _Strip, crease: NDArray[np.int64], colours: tuple[LipColour, LipColour]
) -> NDArray[np.float32]:
    """Cost (2, rows, columns) of the upper lip ending at a row, and of the lower one, which is looked at upside down.

    Args:
        crease: row of the darkest path.
    """
    lab, count = strip.lab, len(strip.rows)
    predicted = (np.stack([strip.upper, strip.lower]) - strip.middle) / ROW_HEIGHT + strip.half
    borders = strip.top - strip.middle, strip.bottom - strip.middle
    # Then both lie above the crease.
    turned = np.stack([crease, count - 1 - crease])
    aims = np.stack([predicted[0], count - 1 - predicted[1]])
    outer = np.stack([borders[0], -borders[1]]) / ROW_HEIGHT + (count - 1) / 2
    unlike = np.stack([_unlike(lab, colours[0], crease), _unlike(lab, colours[1], crease)[::-1]])
    return _edge_costs(unlike, turned, aims, outer)


def _edges(
    costs: NDArray[np.float32], paths: NDArray[np.int64], crease: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows (columns,) where the upper lip ends and where the lower one begins."""
    # An edge lies between its row and the one before.
    found = [binomial_smooth(subpixel_rows(cost, path) - 0.5) for cost, path in zip(costs, paths, strict=True)]
    return np.minimum(found[0], crease), np.maximum(costs.shape[1] - 1 - found[1], crease)


def _unlike(lab: NDArray[np.float32], colour: LipColour, crease: NDArray[np.int64]) -> NDArray[np.float32]:
    """0 = the lip's colour .. 1 = as unlike it as the dark between the lips."""
    distance = colour.distance(lab)
    column, last = np.arange(lab.shape[1]), len(lab) - 1
    dark = np.max([distance[np.clip(crease + row, 0, last), column] for row in (-1, 0, 1)], axis=0)
    dark = np.convolve(pad_edges(dark, 4), np.full(9, 1 / 9), mode="valid")
    return np.minimum(distance / np.clip(dark, *NOT_LIP_DEVIATIONS).astype(np.float32), 1)


def _edge_costs(
    unlike: NDArray[np.float32], crease: NDArray[np.int64], aims: NDArray[np.float64], outer: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Cost (lips, rows, columns) of a lip that lies above the crease ending before a row."""
    lips, count, columns = unlike.shape
    row = np.arange(count, dtype=np.float32)[:, None]
    nothing = np.zeros((lips, 1, columns), np.float32)
    lip_like = np.concatenate([nothing, np.cumsum(0.5 - unlike, axis=1, dtype=np.float32)], axis=1)
    region = np.take_along_axis(lip_like, crease[:, None], axis=1) - lip_like[:, :-1]
    first, last = (np.repeat(row[:, None], EDGE_ROWS, axis=1) for row in (unlike[:, 0], unlike[:, -1]))
    padded = np.concatenate([first, unlike, last], axis=1)
    sums = np.concatenate([nothing, np.cumsum(padded, axis=1, dtype=np.float32)], axis=1)
    above = sums[:, EDGE_ROWS : EDGE_ROWS + count] - sums[:, :count]
    below = sums[:, 2 * EDGE_ROWS : 2 * EDGE_ROWS + count] - sums[:, EDGE_ROWS : EDGE_ROWS + count]
    off = ((row - aims[:, None].astype(np.float32)) * np.float32(ROW_HEIGHT / LANDMARK_ERROR)) ** 2
    # Landmarks may be quite wrong: far off, another row hardly matters.
    cost = REGION_WEIGHT * region - EDGE_WEIGHT / EDGE_ROWS * (below - above) + 0.5 * off / (1 + off / 8)
    highest = outer + LEAST_LIP_SHARE * (aims - outer)
    cost += THIN_LIP_COST * np.maximum(highest[:, None].astype(np.float32) - row, 0)
    past = row - crease[:, None]
    return np.where(past > 0, 50 + 5 * past, cost).astype(np.float32)
