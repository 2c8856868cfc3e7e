"""A found mouth laid over the warped face: its lips bent to the lines wanted, its teeth as large as they are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.analysis.order_statistics import median
from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline.lipsync.warp.exemplars.collection import Exemplar

OVERLAY_REACH, OVERLAY_FEATHER = 0.13, 0.08
"""IOD around the lips up to which the found mouth covers the face, and over which it fades there."""

CLOSED_REACH, CLOSED_FEATHER = 0.15, 0.08
"""The same for lips that close over an open mouth: what was beside and below its lips goes too."""

CHIN_MOVE, CHIN_SHARE, CHIN_FADE = (0.03, 0.12), 0.85, 0.4
"""How far the lower lip is carried (IOD) until the chin too is the found mouth's: stretched skin is a smear. The share
of the way to the chin's tip that is covered then, and the share of that over which the cover fades."""

CORNER_COVER, MOST_BESIDE = 0.11, 0.25
"""IOD past the corners that the frame's own mouth had, and the most beside those wanted."""

COLOUR_RING, COLOUR_RING_FADES = (0.05, 0.22), (0.02, 0.04)
"""IOD around the lips where the colours of both are compared, and over which they begin and cease to count."""

COLOUR_SIGMA, COLOUR_CELL = 0.3, 0.035
"""Blur of the colour ratio, and size of the cells in which it is taken, IOD."""

NOISE_DIFFERENCE = 24.0
"""Sum of three channels' differences, grey levels, that noise and texture make."""

LARGEST_RATIO, LARGEST_TINT = 1.5, 1.12
"""Bounds of that ratio, and of each channel's against the three channels' mean: light changes more than its hue."""

EXEMPLAR_THICKNESS_SHARE = 0.25
"""How far the lips are as thick as the found mouth's and not as asked for."""

CLOSED_THICKNESS_SHARE = 0.8
"""The same of lips that touch: pressed ones are thin, but a pout is not to swell others."""

LARGEST_TEETH_STRETCH, LARGEST_TEETH_SQUEEZE = 1.25, 1.15
"""How far teeth may be magnified or reduced; what is left of the opening's height its middle takes."""

LARGEST_OPENING, SPARE_OPENING = 1.35, 0.03
"""A found mouth is opened at most so many times as wide as it is, and by so many IOD more: what is not there cannot be
shown."""

RIM = 0.40
"""Share of the opening's height above and below that keeps its size."""

UPPER_TEETH_FIRST, UPPER_TEETH_ONLY = 1.0, 1.35
"""Where a found mouth is so many times as open as asked, its upper rim begins to take the place of the lower one, and
has taken it: upper teeth stand in front of the lower ones, which would stick to the lip."""

MOST_RIMS = 0.98
"""Share of a found opening's height that both rims may take: its middle must come from somewhere."""

CLOSED_UPPER_RIM, CLOSED_LOWER_RIM = 0.85, 0.08

OPENING_EDGE, OPENING_SHUT, OPENING_SEEN = 0.012, 0.008, 0.04
"""An opening's soft edge (IOD), its height up to which nothing of it is seen, and that from which it is seen whole."""

EDGE_BLURS, LINING_HEIGHT, LINING_TONE = 2.0, 0.03, 0.6
"""A dark opening's edge is as soft as the lips' own edges, so many times; up to that height (IOD) the lower lip's inner
side is seen, in so much of its colour."""

TEETH_FROM, TEETH_STRIP = 0.06, 1.25
"""IOD: smaller openings are dark, unless the found mouth is hardly wider, so many times, than they are."""

OPEN_SHARE = 0.45
"""Share of open mouths from which they fill the opening; below, it is dark: teeth seen through closed lips are a
ghost."""

MAP_COLUMNS, MAP_ROWS = 48, 72
"""Of the coarse map from the face to the found mouth."""

OFF_THE_PICTURE = -1e4
"""A place, pixels, that lies outside of every found mouth."""


def overlay_exemplars(
    picture: NDArray[np.uint8],
    head: HeadFrame,
    target: MouthContours,
    opening: MouthContours,
    mouths: Sequence[tuple[Exemplar, float]],
    closing: Sequence[tuple[Exemplar, float]],
    strength: float,
    light: FaceLighting,
    below: float = 0.0,
    beside: float = 0.0,
) -> None:
    """Lay found mouths over a warped patch, in place.

    Args:
        picture: uint8 (rows, columns, 3) BGR.
        head: of the patch.
        target: the lips wanted, as the landmarks would tell them.
        opening: the lips wanted, as they are: what is seen between those that touched.
        mouths: what is laid over, with shares.
        closing: the same of mouths whose lips touch; the shares of both sum to 1.
        strength: 0..1.
        light: of the face, in which a dark opening is seen.
        below: IOD under the lips that the found mouth covers, if more than around them.
        beside: the same beside their corners.
    """
    import cv2

    lips = np.concatenate([target.upper_outer, target.lower_outer])
    closed = sum(share for _, share in closing)
    reach = OVERLAY_REACH + closed * (CLOSED_REACH - OVERLAY_REACH)
    feather = OVERLAY_FEATHER + closed * (CLOSED_FEATHER - OVERLAY_FEATHER)
    below, beside = max(reach, below), max(reach, beside)
    low, high = lips.min(axis=0) - COLOUR_RING[1], lips.max(axis=0) + COLOUR_RING[1]
    low[0] -= beside - reach
    high[0] += beside - reach
    high[1] = max(high[1], float(lips[:, 1].max()) + below)
    left, top, right, bottom = head.pixel_box(low, high, (picture.shape[1], picture.shape[0]))
    if right - left < 2 or bottom - top < 2:
        return
    box, size = (slice(top, bottom), slice(left, right)), (right - left, bottom - top)
    x, y = np.meshgrid(np.linspace(low[0], high[0], MAP_COLUMNS), np.linspace(low[1], high[1], MAP_ROWS))
    cell = (high - low) / (np.array([MAP_COLUMNS, MAP_ROWS]) - 1)
    to_grid = head.cropped(left, top).to_grid(low, cell)
    distance = _upsample(_distance(target, x, y, (reach, feather), below, beside)[..., None], to_grid, size, border=1.0)
    face = picture[box].astype(np.float32)

    def laid(mouth: Exemplar, thickness: float) -> NDArray[np.float32]:
        place = _upsample(_source_pixels(mouth, target, x, y, thickness), to_grid, size, border=OFF_THE_PICTURE)
        bent = cv2.remap(
            mouth.picture, place, np.empty(0, np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return bent.astype(np.float32)

    # Lips may fade into each other; what lies between them is one mouth's, or the dark.
    pictures = [(laid(mouth, EXEMPLAR_THICKNESS_SHARE), share) for mouth, share in mouths]
    pictures += [(laid(mouth, CLOSED_THICKNESS_SHARE), share) for mouth, share in closing]
    over = np.zeros_like(face)
    for bent, share in pictures:
        over += np.float32(share) * bent
    most = max(range(len(mouths)), key=lambda place: mouths[place][1]) if 1 - closed >= OPEN_SHARE else -1
    dark = most < 0 or _shows_a_strip(mouths[most][0], opening)
    edge = max(OPENING_EDGE, EDGE_BLURS * light.blur) if dark else OPENING_EDGE
    between: NDArray[np.float32] | None = None
    if dark or len(pictures) > 1:
        between = _upsample(_between_lips(opening, x, y, edge), to_grid, size, border=0.0)
    ratio = _colour_ratio(face, over, distance, head.scale)
    if between is not None and not dark:
        over += between[..., :1] * (pictures[most][0] - over)
    over *= ratio
    if between is not None and dark:
        colour = light.crease + between[..., 1:] * (LINING_TONE * light.lip - light.crease)
        over += between[..., :1] * (colour - over)
    alpha = np.clip((reach - distance) / feather, 0, 1)
    alpha = (strength * alpha * alpha * (3 - 2 * alpha))[..., None]
    face += alpha * (over - face)
    picture[box] = np.clip(face + 0.5, 0, 255).astype(np.uint8)


def _shows_a_strip(mouth: Exemplar, opening: MouthContours) -> bool:
    """Whether of a found mouth's teeth a small opening would show but a strip: a film."""
    return opening.gap < TEETH_FROM and mouth.seen_gap > TEETH_STRIP * opening.gap


def _upsample(
    grid: NDArray[np.float64], to_grid: NDArray[np.float64], size: tuple[int, int], border: float
) -> NDArray[np.float32]:
    import cv2

    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    values = grid.astype(np.float32)
    return np.asarray(cv2.warpAffine(values, to_grid, size, flags=flags, borderValue=[border] * 4), np.float32)


def _line_height(
    contour: NDArray[np.float64], x: NDArray[np.float64], ends: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Height of a line at every x, through the mouth's corners and level beyond them."""
    return np.interp(
        x, np.r_[ends[0, 0], contour[1:-1, 0], ends[1, 0]], np.r_[ends[0, 1], contour[1:-1, 1], ends[1, 1]]
    )


def _line_heights(contours: MouthContours, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights of the four lines from above to below, (4, ...)."""
    ends = contours.upper_outer[[0, -1]]
    order = (contours.upper_outer, contours.upper_inner, contours.lower_inner, contours.lower_outer)
    return np.maximum.accumulate(np.stack([_line_height(line, x, ends) for line in order]), axis=0)


def chin_reach(base: MouthContours, target: MouthContours, chin: float) -> float:
    """How far below the lips found mouths cover a face, IOD: the further its own lower lip is carried, the further.

    Args:
        base: the lips of the frame.
        target: the lips wanted.
        chin: height of its tip in the output.
    """
    lip, own = float(target.lower_outer[:, 1].max()), float(base.lower_outer[:, 1].max())
    return smoothstep(*CHIN_MOVE, abs(lip - own)) * CHIN_SHARE * max(chin - lip, 0.0)


def corner_reach(base: MouthContours, target: MouthContours) -> float:
    """How far beside the lips found mouths cover a face, IOD: past the corners that the frame's own mouth had."""
    carried = np.abs(target.upper_outer[[0, -1], 0] - base.upper_outer[[0, -1], 0]).max()
    return min(float(carried) + CORNER_COVER, MOST_BESIDE)


def _distance(
    target: MouthContours,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    cover: tuple[float, float],
    below: float,
    beside: float,
) -> NDArray[np.float64]:
    """About how far outside the lips a place lies, IOD; negative within. Below and beside them it counts less.

    Args:
        cover: reach and feather of what is laid over.
        below: its reach under the lips.
        beside: its reach beside their corners.
    """
    reach, feather = cover
    fade = max(feather, CHIN_FADE * below)
    lines = _line_heights(target, x[0])
    aside = np.maximum(np.maximum(target.upper_outer[0, 0] - x, x - target.upper_outer[-1, 0]), 0)
    aside = np.interp(aside, [0, beside - feather, beside, 9], [0, reach - feather, reach, 9 - beside + reach])
    under = np.interp(y - lines[3], [-9, 0, below - fade, below, 9], [-9, 0, reach - feather, reach, 9 - below + reach])
    upright = np.maximum(lines[0] - y, under)
    return np.where(aside > 0, np.hypot(aside, np.maximum(upright, 0)), upright)


def _between_lips(
    opening: MouthContours, x: NDArray[np.float64], y: NDArray[np.float64], edge: float
) -> NDArray[np.float64]:
    """How far a place is seen to lie in the opening, and on the lower lip's inner side, 0..1: (rows, columns, 2)."""
    lines = _line_heights(opening, x[0])
    depth = np.minimum(y - lines[1], lines[2] - y)
    seen = np.clip(depth / edge + 0.5, 0, 1) * smoothstep(OPENING_SHUT, OPENING_SEEN, lines[2] - lines[1])
    return np.stack([seen, 1 - smoothstep(0.0, LINING_HEIGHT, lines[2] - y)], axis=-1)


def _source_pixels(
    mouth: Exemplar, target: MouthContours, x: NDArray[np.float64], y: NDArray[np.float64], thickness: float
) -> NDArray[np.float64]:
    """Pixels of the found mouth for places of the face, (rows, columns, 2).

    Args:
        thickness: how far the lips are as thick as the found mouth's, 0..1.
    """
    found = mouth.contours
    ends, own_ends = target.upper_outer[[0, -1], 0], found.upper_outer[[0, -1], 0]
    across = np.interp(x[0], ends, own_ends)
    across += np.minimum(x[0] - ends[0], 0) + np.maximum(x[0] - ends[1], 0)
    lines, own = _line_heights(target, x[0]), _line_heights(found, across)
    own_opening = own[2] - own[1]
    lines[2:] -= np.maximum(lines[2] - lines[1] - LARGEST_OPENING * own_opening - SPARE_OPENING, 0)
    opening = lines[2] - lines[1]
    lines[0] -= thickness * ((own[1] - own[0]) - (lines[1] - lines[0]))
    lines[3] += thickness * ((own[3] - own[2]) - (lines[3] - lines[2]))
    ratio = own_opening / np.maximum(opening, 1e-6)
    covered = smoothstep(UPPER_TEETH_FIRST, UPPER_TEETH_ONLY, ratio)
    upper_rim = RIM + covered * (CLOSED_UPPER_RIM - RIM)
    lower_rim = RIM + covered * (CLOSED_LOWER_RIM - RIM)
    size = np.clip(ratio, 1 / LARGEST_TEETH_STRETCH, LARGEST_TEETH_SQUEEZE) * opening
    knots = np.stack(
        [
            lines[0],
            lines[1],
            lines[1] + upper_rim * opening,
            lines[2] - lower_rim * opening,
            lines[2],
            lines[3],
        ]
    )
    own_upper, own_lower = (
        np.minimum(rim * size, MOST_RIMS * rim / (upper_rim + lower_rim) * own_opening)
        for rim in (upper_rim, lower_rim)
    )
    own_knots = np.stack([own[0], own[1], own[1] + own_upper, own[2] - own_lower, own[2], own[3]])
    down = y + (own_knots[0] - knots[0])
    for above, below, own_above, own_below in zip(knots, knots[1:], own_knots, own_knots[1:], strict=False):
        share = (y - above) / np.maximum(below - above, 1e-6)
        down = np.where(y >= above, own_above + np.clip(share, 0, 1) * (own_below - own_above), down)
    down = np.where(y > knots[-1], y + (own_knots[-1] - knots[-1]), down)
    return mouth.head.to_pixels(np.stack([np.broadcast_to(across, y.shape), down], axis=-1))


def _colour_ratio(
    below: NDArray[np.float32], laid: NDArray[np.float32], distance: NDArray[np.float32], pixel: float
) -> NDArray[np.float32]:
    """By what to multiply the laid mouth so that the skin around it has the face's colour; smooth."""
    import cv2

    height, width = below.shape[:2]
    cells = max(4, round(width * pixel / COLOUR_CELL)), max(4, round(height * pixel / COLOUR_CELL))
    (inner, outer), (rise, fall) = COLOUR_RING, COLOUR_RING_FADES
    weight = np.clip((distance - inner) / rise, 0, 1) * np.clip((outer - distance) / fall, 0, 1)
    # Where one shows skin and the other a collar or the background, there is nothing to compare.
    unlike = np.abs(below - laid).sum(axis=2)
    ring = unlike[weight > 0.5]
    usual = float(median(ring)) if len(ring) else 0.0
    weight /= 1 + (unlike / (2 * usual + NOISE_DIFFERENCE)) ** 4

    def around(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        small = cv2.resize(picture * weight[..., None], cells, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(small, (0, 0), COLOUR_SIGMA / COLOUR_CELL), np.float32)

    ratio = (around(below) + 1e-2) / (around(laid) + 1e-2)
    lightness = ratio.mean(axis=2, keepdims=True)
    tint = np.clip(ratio / lightness, 1 / LARGEST_TINT, LARGEST_TINT)
    ratio = tint * np.clip(lightness, 1 / LARGEST_RATIO, LARGEST_RATIO)
    return np.asarray(cv2.resize(ratio, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
