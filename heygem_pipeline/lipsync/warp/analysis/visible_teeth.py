"""How light a person's teeth are and how much of them shows: read where a mouth is seen open, usual elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TINT = 0.60
"""How far a tooth's hue goes from white to the skin's: median of 17 speakers (quartiles 0.54, 0.87)."""

USUAL_TEETH_LUMA = 1.04, 10
"""Luma of usual teeth: so many times the skin's, and so many levels more."""

PALER_THAN_LIP, REDDER_THAN_SKIN = 0.05, 0.02
"""Red over luma: teeth have at least so much less of it than the lip, and at most so much more than the skin."""

DARKEST_TEETH, LIGHTEST_TEETH = 0.8, 1.25
"""Bounds of luma for teeth as they are read, over the usual one (of the speakers' teeth, the quartiles are 0.83 and
1.03 of the skin's)."""

LIGHT_GAPS = (0.02, 0.05, 0.10, 0.14, 0.20)
LIGHT_INSIDE = (0.50, 0.62, 0.80, 0.95, 1.0)
"""How much of the light outside reaches the teeth through openings of those heights, IOD (see ``interior``)."""

LEAST_OPENING = 0.075
"""IOD: height of an opening from which teeth are read."""

LEAST_TEETH, LEAST_BRIGHTNESS, LEAST_SHADED_BRIGHTNESS = 0.15, 0.55, 0.30
"""Share of an opening that looks like teeth, and luma over the skin's, from which their colour is read; and the luma
from which they are teeth at all."""

THIN_LIP, FULL_LIP = 0.055, 0.095
"""Height of the upper lip's red, IOD: below the first hardly any upper teeth show, from the second on many.

Over 24 clips of 19 people, that height goes with the share of upper teeth in the opening (correlation 0.56); the length
of the whole upper lip does not (-0.07)."""

LEAST_UPPER, MOST_UPPER = -0.010, 0.036
"""IOD of the upper incisors below the closed lips' line (Vig and Brundo 1978: 0.25 to 3.9 mm of them show at rest, of
older people none)."""

LEAST_LOWER, MOST_LOWER = 0.008, 0.036
"""IOD of the lower teeth above the lower lip in small openings, behind full and behind thin lips."""

UPPER_TEETH_PER_GAP, LOWER_TEETH_PER_GAP = 0.22, 0.26
"""How much more of the upper and of the lower teeth shows for every IOD of opening, and from which opening on."""

LOWER_TEETH_FROM = 0.07

NO_TEETH_WEIGHT = 0.2
"""What an opening without teeth tells, against one with teeth: rounded lips and poor pictures show none either."""

TRUSTED_READING = 0.3
"""How surely teeth must have been read in a few frames to be believed before others are seen."""

MOST_MEASURED = 0.07
"""IOD: bound of what is taken from one frame."""


@dataclass(frozen=True)
class TeethAppearance:
    """Teeth of one frame, or steadied over several.

    Attributes:
        colour: float32 (3,), of a well lit tooth over the skin's, BGR.
        colour_seen: 1 = read from teeth, 0 = usual.
        upper: IOD of the upper incisors below the line of the closed lips; negative where the lip hides them.
        lower: IOD of the lower teeth above the lower lip in a small opening.
        amount_seen: 1 = read, 0 = usual.
    """

    colour: NDArray[np.float32]
    colour_seen: float
    upper: float
    lower: float
    amount_seen: float

    @staticmethod
    def median(frames: "Sequence[TeethAppearance]") -> "TeethAppearance":
        """Of several frames, at least one: those that show teeth tell their colour, those that open how much shows."""
        coloured = [teeth for teeth in frames if teeth.colour_seen > TRUSTED_READING] or frames
        opened = [teeth for teeth in frames if teeth.amount_seen > TRUSTED_READING]
        opened = opened or [teeth for teeth in frames if teeth.amount_seen == 0] or frames
        return TeethAppearance(
            colour=np.median([teeth.colour for teeth in coloured], axis=0).astype(np.float32),
            colour_seen=float(np.median([teeth.colour_seen for teeth in coloured])),
            upper=float(np.median([teeth.upper for teeth in opened])),
            lower=float(np.median([teeth.lower for teeth in opened])),
            amount_seen=float(np.median([teeth.amount_seen for teeth in opened])),
        )

    def toward(self, here: "TeethAppearance", share: float) -> "TeethAppearance":
        """Move by a share toward another frame's; what was seen once is not forgotten for what is usual."""
        colour = share * (here.colour_seen if max(self.colour_seen, here.colour_seen) > 0 else 1.0)
        amount = share * (here.amount_seen if max(self.amount_seen, here.amount_seen) > 0 else 1.0)
        return TeethAppearance(
            colour=(self.colour + colour * (here.colour - self.colour)).astype(np.float32),
            colour_seen=max(self.colour_seen, share * here.colour_seen),
            upper=self.upper + amount * (here.upper - self.upper),
            lower=self.lower + amount * (here.lower - self.lower),
            amount_seen=max(self.amount_seen, share * here.amount_seen),
        )


def luma(colour: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rec. 601 luma of BGR values (the last axis)."""
    return colour[..., 0] * 0.114 + colour[..., 1] * 0.587 + colour[..., 2] * 0.299


def light_inside(gap: float) -> float:
    """How much of the light outside reaches the teeth through an opening of that height, IOD."""
    return float(np.interp(gap, LIGHT_GAPS, LIGHT_INSIDE))


def default_teeth(skin: NDArray[np.float32], lip_height: float) -> TeethAppearance:
    """Teeth of a face of that skin whose upper lip's red is that high (IOD): about as light as the skin, less red."""
    brightness = max(float(luma(skin)), 1.0)
    hue = 1 + TINT * (skin / np.float32(brightness) - 1)
    full = min(max((lip_height - THIN_LIP) / (FULL_LIP - THIN_LIP), 0.0), 1.0)
    full *= full * (3 - 2 * full)
    times, more = USUAL_TEETH_LUMA
    return TeethAppearance(
        colour=(hue * (times * brightness + more) / np.maximum(skin, 1)).astype(np.float32),
        colour_seen=0.0,
        upper=LEAST_UPPER + (MOST_UPPER - LEAST_UPPER) * full,
        lower=MOST_LOWER + (LEAST_LOWER - MOST_LOWER) * full,
        amount_seen=0.0,
    )


def measure_teeth(
    inside: NDArray[np.float32],
    opening: float,
    skin: NDArray[np.float32],
    lip: NDArray[np.float32],
    usual: TeethAppearance,
) -> TeethAppearance:
    """Read the teeth in an opening; ``usual`` where it is too small, or shows none.

    Args:
        inside: float32 (rows, columns, 3) BGR, evenly from lip to lip over the mouth's middle.
        opening: its height, IOD.
    """
    if opening < LEAST_OPENING:
        return usual
    bright = luma(inside)
    # Teeth are paler than lips and skin: less red for their light.
    reddest = min(_redness(lip) - PALER_THAN_LIP, _redness(skin) + REDDER_THAN_SKIN)
    pale = inside[..., 2] / np.maximum(bright, 1) < reddest
    wide = min((opening - LEAST_OPENING) / LEAST_OPENING, 1.0)
    upper, lower = _rows_from_lips(pale & (bright > LEAST_SHADED_BRIGHTNESS * luma(skin)))
    rows = len(inside)
    upper_shown = opening * upper / rows - UPPER_TEETH_PER_GAP * opening
    lower_shown = opening * lower / rows - LOWER_TEETH_PER_GAP * max(opening - LOWER_TEETH_FROM, 0.0)
    colour, seen = _colour(inside, pale & (bright > LEAST_BRIGHTNESS * luma(skin)), opening, skin, usual)
    return TeethAppearance(
        colour=colour,
        colour_seen=seen * wide,
        upper=min(max(upper_shown, LEAST_UPPER), MOST_MEASURED),
        lower=min(max(lower_shown, 0.0), MOST_MEASURED),
        amount_seen=wide if upper + lower > 0 else NO_TEETH_WEIGHT * wide,
    )


def _rows_from_lips(tooth: NDArray[np.bool_]) -> tuple[float, float]:
    """Mean number of rows that teeth fill from the upper lip down, and from the lower one up where those end before."""
    rows, tooth = len(tooth), tooth.copy()
    # The lips' rims and their shade may lie before the first tooth.
    for row in (1, 0):
        tooth[row] |= tooth[row + 1]
        tooth[-1 - row] |= tooth[-2 - row]
    down = np.where(tooth.all(axis=0), rows, np.argmin(tooth, axis=0))
    up = np.where(tooth.all(axis=0), 0, np.argmin(tooth[::-1], axis=0))
    return float(down.mean()), float(up.mean())


def _colour(
    inside: NDArray[np.float32],
    tooth: NDArray[np.bool_],
    opening: float,
    skin: NDArray[np.float32],
    usual: TeethAppearance,
) -> tuple[NDArray[np.float32], float]:
    seen = min(max((float(tooth.mean()) - LEAST_TEETH) / LEAST_TEETH, 0.0), 1.0)
    if seen == 0:
        return usual.colour, 0.0
    bright = luma(inside)
    # The better lit half of them, without what shade the lips still cast on it.
    lit = np.median(inside[tooth & (bright >= np.median(bright[tooth]))], axis=0)
    usually = float(luma(usual.colour * skin))
    held = np.clip(float(luma(lit)) / light_inside(opening), DARKEST_TEETH * usually, LIGHTEST_TEETH * usually)
    return (lit * np.float32(held / max(float(luma(lit)), 1.0)) / np.maximum(skin, 1)).astype(np.float32), seen


def _redness(colour: NDArray[np.float32]) -> float:
    return float(colour[2]) / max(float(luma(colour)), 1.0)
