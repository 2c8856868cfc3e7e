"""Do the lips of a finished clip touch where the real speaker's do: on m, b and p?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_mouth import sharp_gap
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.speech.lip_closures import CLOSED_PERCENTILE, closed_and_open, find_closures

SAID = 0.5
"""Probability of speech from which speech is heard."""

TOUCH = 0.012
"""IOD over a presenter's closed mouth, as the landmarks read it, up to which lips touch. Measured on six presenters: a
mouth drawn 0.03 open is read 0.01 higher than a closed one, one drawn 0.05 open 0.015 to 0.03 higher."""

TOUCH_ASKED = 0.02
"""IOD: openings the engine asks for that count as touching, 2 pixels of a 100-pixel eye distance."""

TOLERANCE = 0.05
"""Seconds around a closure in which the output's lips shall touch: a frame, and half of one for the clip's own lag."""

CLOSED_NOISE = 0.02
"""IOD: how far the readings of one closed mouth scatter, from their 5th percentile on."""

CHANCE_SHIFTS = 40


@dataclass(frozen=True)
class Closures:
    """Of one clip.

    count: closures of the speaker. touched: how many the output makes, on its pixels. asked: how many the engine asked
    for. by_chance: share that would be touched had they lain elsewhere in the speech. open: seconds in which the
    speaker's mouth is clearly open. falsely_closed: seconds of them in which the output's lips touch.
    """

    count: int
    touched: int
    asked: int
    by_chance: float
    open: float
    falsely_closed: float


def count_closures(
    truth: NDArray[np.float64],
    said: NDArray[np.bool_],
    times: NDArray[np.float64],
    touching: NDArray[np.bool_],
    asked: NDArray[np.bool_],
) -> Closures:
    """Compare the speaker's gap with whether the output's lips touch.

    truth, said: at the feature rate. touching, asked: in each frame of the output, at ``times``: seen, and asked for.
    """
    middles, clearly_open = find_closures(truth, said), closed_and_open(truth)[1] & said
    hit = _hits(times, touching)
    seen = np.flatnonzero(said & np.isfinite(truth))
    shifts = np.linspace(0, len(seen), CHANCE_SHIFTS, endpoint=False).astype(int)
    places = np.searchsorted(seen, middles)
    chance = [np.mean(hit(seen[(places + shift) % len(seen)])) for shift in shifts] if middles else [0.0]
    falsely = np.interp(np.flatnonzero(clearly_open) / FEATURE_RATE, times, touching) > 0.5
    return Closures(
        count=len(middles),
        touched=int(hit(middles).sum()),
        asked=int(_hits(times, asked)(middles).sum()),
        by_chance=float(np.mean(chance)),
        open=float(clearly_open.sum() / FEATURE_RATE),
        falsely_closed=float(falsely.sum() / FEATURE_RATE),
    )


def lips_touch(gap: NDArray[np.float64], template: FaceTracks) -> NDArray[np.bool_]:
    """Whether the lips touch in each frame of an output, ``gap`` read frame by frame."""
    return gap <= closed_gap(template, gap) + TOUCH


def closed_gap(template: FaceTracks, output: NDArray[np.float64]) -> float:
    """How far apart the landmarks read this presenter's lips where they touch.

    The template's own closed frames say it, unless it never closes its mouth: then the output's most closed frames.
    """

    def usual(gap: NDArray[np.float64]) -> float:
        lowest = np.nanpercentile(gap, CLOSED_PERCENTILE)
        return float(np.median(gap[gap <= lowest + CLOSED_NOISE]))

    return min(usual(sharp_gap(template)), usual(output))


def _hits(times: NDArray[np.float64], touching: NDArray[np.bool_]) -> Callable[..., NDArray[np.bool_]]:
    when = times[touching]

    def hit(rows: list[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
        at = np.asarray(rows) / FEATURE_RATE
        if not len(when):
            return np.zeros(len(at), bool)
        return np.abs(at[:, None] - when[None]).min(axis=1) <= TOLERANCE

    return hit
