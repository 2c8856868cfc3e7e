"""Two rows of teeth on an arch, seen from the front or aside: where each tooth is, and how light it looks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IOD_MM = 63.0
"""Mean distance between adult pupils."""

UPPER_WIDTHS_MM = (8.6, 6.6, 7.6, 7.0, 6.8)
LOWER_WIDTHS_MM = (5.3, 5.7, 6.8, 7.0, 7.1)
"""Central and lateral incisor, canine, premolars (means; Wheeler's Dental Anatomy)."""

UPPER_STEPS = (0.0, 0.011, 0.002, 0.012, 0.018)
LOWER_STEPS = (0.0, 0.001, 0.0, 0.006, 0.012)
"""How far each tooth's edge stays behind the central incisor's, IOD."""

TOOTH_TONES = (1.0, 0.965, 0.92, 0.88, 0.84)
"""How light each tooth is against the central incisor."""

ARCH_HALF_WIDTH = 0.40
"""IOD: half the distance between the molars, as an arc that is seen from the front."""

INCISOR_DEPTH = 0.09
"""IOD: how far the incisors lie behind the lip's surface (some 6 mm)."""

TURN_OF_UNEQUAL_HALVES, LARGEST_TURN = 1.7, 0.7
"""Tangent of the head's turn for halves of the mouth that differ by their sum, and the largest that is believed."""

SEEN_TO = 0.62
"""IOD to each side: beyond, no mouth shows its teeth."""

EDGE_CURVE = 0.10
"""How much the teeth's edge rises to the sides, for the square of the distance from the midline (IOD)."""

NOTCH_DEPTH, NOTCH_WIDTH = 0.016, 0.012
"""IOD: rounded corners leave it between two teeth."""

SHADE_FROM, SHADE_RANGE, DEEPEST_SHADE = 0.13, 0.27, 0.75
"""IOD from the midline where the cheeks begin to shade the teeth, over how much further, and what they take away."""

LEFT_TONE = 0.985
"""No mouth is its own mirror image."""

LINE_WIDTH, LINE_WIDTH_PIXELS, FULL_LINE_WIDTH, LINE_SHADE = 0.006, 0.8, 0.009, 0.30
"""IOD: the line between two teeth, but so many pixels at least; up to which width it has its full shade; that shade."""

RISING = 1e-8
"""Keeps places apart that a turned head shows at one."""

_FRONT = np.linspace(-SEEN_TO, SEEN_TO, 125)


@dataclass(frozen=True)
class TeethRow:
    """One jaw's teeth.

    Attributes:
        borders: float32 (6,), between the teeth of one half, IOD from the midline (0) outward as seen from the front.
        edge: float32 (621,), at places from -0.62 to 0.62: how far the teeth's edge stays behind the central incisor's,
            IOD.
        tone: float32 (621,), how light they are there.
        border: float32 (621,), how far the nearest border between two teeth is, IOD.
    """

    borders: NDArray[np.float32]
    edge: NDArray[np.float32]
    tone: NDArray[np.float32]
    border: NDArray[np.float32]


_PLACES = np.linspace(-SEEN_TO, SEEN_TO, 621, dtype=np.float32)


def _teeth_row(widths_mm: tuple[float, ...], steps: tuple[float, ...]) -> TeethRow:
    along = np.cumsum(widths_mm) / IOD_MM
    # Arc length to projected place on an arch of that half-width.
    borders = np.r_[0, ARCH_HALF_WIDTH * np.sin(np.minimum(along / ARCH_HALF_WIDTH, np.pi / 2))].astype(np.float32)
    distance = np.abs(_PLACES)
    tooth = np.clip(np.searchsorted(borders, distance, side="right") - 1, 0, len(steps) - 1)
    border = np.abs(distance[:, None] - borders).min(axis=1)
    edge = np.array(steps)[tooth] + EDGE_CURVE * distance**2 + NOTCH_DEPTH * np.exp(-((border / NOTCH_WIDTH) ** 2))
    darker = np.clip((distance - SHADE_FROM) / SHADE_RANGE, 0, 1)
    side = np.where(_PLACES < 0, LEFT_TONE, 1.0)
    tone = np.array(TOOTH_TONES)[tooth] * side * (1 - DEEPEST_SHADE * darker**2 * (3 - 2 * darker))
    return TeethRow(borders, edge.astype(np.float32), tone.astype(np.float32), border.astype(np.float32))


UPPER_ROW, LOWER_ROW = _teeth_row(UPPER_WIDTHS_MM, UPPER_STEPS), _teeth_row(LOWER_WIDTHS_MM, LOWER_STEPS)


def head_turn(left: float, right: float) -> float:
    """Tangent of the head's turn to the viewer's right, from the widths of the mouth's halves.

    The corners of the mouth lie about 0.2 IOD behind its middle, so the half that turns away looks narrower.
    """
    unequal = (right - left) / max(left + right, 1e-3)
    return float(np.clip(-TURN_OF_UNEQUAL_HALVES * unequal, -LARGEST_TURN, LARGEST_TURN))


def along_the_arch(offset: NDArray[np.floating], turn: float) -> NDArray[np.float32]:
    """Place on the arch as seen from the front, IOD, of what is seen ``offset`` beside the lips' middle.

    What lies deeper moves to the side from which a turned head turns away.
    """
    depth = INCISOR_DEPTH + _FRONT**2 / (2 * ARCH_HALF_WIDTH)
    seen = np.maximum.accumulate(_FRONT - turn * depth) + RISING * np.arange(len(_FRONT))
    return np.interp(offset, seen, _FRONT).astype(np.float32)


def teeth_edge_and_tone(
    place: NDArray[np.floating], row: TeethRow, pixel: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How far the teeth's edge stays behind the central incisor's, IOD, and their tone (1 = the lightest tooth).

    Args:
        place: float32, from ``along_the_arch``.
        pixel: size of a pixel, IOD; lines finer than it are drawn fainter.
    """
    line_width = max(LINE_WIDTH, LINE_WIDTH_PIXELS * pixel)
    line = np.exp(-((row.border / line_width) ** 2)) * min(1.0, FULL_LINE_WIDTH / line_width)
    return (
        np.interp(place, _PLACES, row.edge).astype(np.float32),
        np.interp(place, _PLACES, row.tone * (1 - LINE_SHADE * line)).astype(np.float32),
    )
