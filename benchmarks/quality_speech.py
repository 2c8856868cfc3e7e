"""Does a finished clip say what is heard? Its mouth against the mouth of the person whose speech it is.

The real speaker is the truth: no network judges itself. Time is that of the sound; the lag between sound and picture of
the speaker's own clip is taken out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from quality_footage import MadeClip, Speaker
from quality_mouth import seen_gap, sharp_gap

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.calibration import calibrate
from heygem_pipeline.lipsync.warp.drive import drive
from heygem_pipeline.quality.sync_meter import picture_after_sound
from heygem_pipeline.speech.alignment import correlation_at_lags
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline.speech.mouth_shape import predict_mouth_shape

LAGS = np.arange(-40, 41) / FEATURE_RATE
"""Seconds: half a second either way."""

CLOSED_PERCENTILE, OPEN_PERCENTILE = 5, 90
"""Of a speaker's gaps: the closed and the wide mouth."""

CLOSED_SHARE, OPEN_SHARE = 0.15, 0.45
"""Shares of the way from closed to wide, up to which a mouth counts as closed and from which as clearly open. 12 people
show 0.3 to 1.6 such closures a second of speech; between shares of 0.10 and 0.25 their number changes by a third."""

LONGEST_CLOSURE, OPEN_WITHIN = 0.28, 0.24
"""Seconds: lips closed for longer are at rest; on both sides of a closure the mouth opens clearly within this time."""

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


@dataclass(frozen=True)
class Likeness:
    """A finished clip's mouth against the speaker's.

    predicted: correlation of the opening the engine asked for, at its best lag. at_best, at_own: of the finished clip,
    at its best lag and at none. lag: seconds by which the output comes after the speaker. lag_frames: the same in
    frames of the output.
    """

    voice: str
    presenter: str
    seconds: float
    predicted: float
    at_best: float
    at_own: float
    lag: float
    lag_frames: float
    closures: Closures


def speaker_gap(speaker: Speaker, rows: int, read: Callable[[FaceTracks], NDArray[np.float64]]) -> NDArray[np.float64]:
    """What the speaker's mouth did, at the feature rate, in the time of the sound; NaN where it was not seen."""
    tracks = speaker.presenter.tracks
    gap = read(tracks)
    times = np.arange(len(gap)) / float(tracks.frame_rate)
    times = times + picture_after_sound(speaker.presenter.path) + speaker.lag
    at = np.arange(rows) / FEATURE_RATE
    seen = np.isfinite(gap)
    values = np.interp(at, times[seen], gap[seen], left=np.nan, right=np.nan)
    unseen = np.interp(at, times, ~seen, left=1, right=1) > 0
    return np.where(unseen, np.nan, values)


def compare(clip: MadeClip, speaker: Speaker, output: FaceTracks) -> Likeness:
    """Compare a finished clip with the one who really said it."""
    speech, rate = clip.voice.speech, float(clip.presenter.tracks.frame_rate)
    times = np.arange(len(output)) / rate + picture_after_sound(clip.path)
    truth = speaker_gap(speaker, len(speech.activity), seen_gap)
    asked = asked_gap(clip)
    gap = seen_gap(output)
    curves = correlation_at_lags(truth, gap, times, LAGS, differences=False)
    # Positive there: the truth comes later than the output.
    lag = -_top(correlation_at_lags(truth, gap, times, LAGS))
    return Likeness(
        voice=speaker.name,
        presenter=clip.presenter.path.stem,
        seconds=float(speech.duration),
        predicted=float(correlation_at_lags(truth, asked, times, LAGS, differences=False).max()),
        at_best=float(curves.max()),
        at_own=float(curves[len(LAGS) // 2]),
        lag=lag,
        lag_frames=lag * rate,
        closures=_closures(speaker, speech, times, sharp_gap(output), asked, clip),
    )


def asked_gap(clip: MadeClip) -> NDArray[np.float64]:
    """The opening the engine asks for in each frame, IOD."""
    tracks = clip.presenter.tracks
    shape = predict_mouth_shape(clip.voice.speech, tracks.frame_rate, len(clip.patches))
    return np.array([wanted.gap for wanted in drive(shape, calibrate(tracks, clip.presenter.own_speech))])


def closed_gap(template: FaceTracks, output: NDArray[np.float64]) -> float:
    """How far apart the landmarks read this presenter's lips where they touch.

    The template's own closed frames say it, unless it never closes its mouth: then the output's most closed frames.
    """

    def usual(gap: NDArray[np.float64]) -> float:
        lowest = np.nanpercentile(gap, CLOSED_PERCENTILE)
        return float(np.median(gap[gap <= lowest + CLOSED_NOISE]))

    return min(usual(sharp_gap(template)), usual(output))


def find_closures(gap: NDArray[np.float64], said: NDArray[np.bool_]) -> tuple[list[int], NDArray[np.bool_]]:
    """Middles of the speaker's closures, and where the mouth is clearly open; rows at the feature rate."""
    closed, wide = np.nanpercentile(gap, (CLOSED_PERCENTILE, OPEN_PERCENTILE))
    shut = gap <= closed + CLOSED_SHARE * (wide - closed)
    clearly_open = gap >= closed + OPEN_SHARE * (wide - closed)
    reach = round(OPEN_WITHIN * FEATURE_RATE)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shut, [False]]).astype(int)))
    middles = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        around = clearly_open[max(0, start - reach) : start].any() and clearly_open[stop : stop + reach].any()
        middle = (start + stop - 1) // 2
        if around and stop - start <= LONGEST_CLOSURE * FEATURE_RATE and said[middle]:
            middles.append(int(middle))
    return middles, clearly_open & said


def _closures(
    speaker: Speaker,
    speech: SpeechFeatures,
    times: NDArray[np.float64],
    output: NDArray[np.float64],
    asked: NDArray[np.float64],
    clip: MadeClip,
) -> Closures:
    truth = speaker_gap(speaker, len(speech.activity), sharp_gap)
    said = speech.activity > SAID
    middles, clearly_open = find_closures(truth, said)
    touching = output <= closed_gap(clip.presenter.tracks, output) + TOUCH
    hit = _hits(times, touching)
    seen = np.flatnonzero(said & np.isfinite(truth))
    shifts = np.linspace(0, len(seen), CHANCE_SHIFTS, endpoint=False).astype(int)
    places = np.searchsorted(seen, middles)
    chance = [np.mean(hit(seen[(places + shift) % len(seen)])) for shift in shifts] if middles else [np.nan]
    falsely = np.interp(np.flatnonzero(clearly_open) / FEATURE_RATE, times, touching) > 0.5
    return Closures(
        count=len(middles),
        touched=int(hit(middles).sum()),
        asked=int(_hits(times, asked <= TOUCH_ASKED)(middles).sum()),
        by_chance=float(np.mean(chance)),
        open=float(clearly_open.sum() / FEATURE_RATE),
        falsely_closed=float(falsely.sum() / FEATURE_RATE),
    )


def _hits(times: NDArray[np.float64], touching: NDArray[np.bool_]) -> Callable[..., NDArray[np.bool_]]:
    when = times[touching]

    def hit(rows: list[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
        at = np.asarray(rows) / FEATURE_RATE
        if not len(when):
            return np.zeros(len(at), bool)
        return np.abs(at[:, None] - when[None]).min(axis=1) <= TOLERANCE

    return hit


def _top(likeness: NDArray[np.float64]) -> float:
    """Lag of the top of the parabola through the best lag and its neighbours, seconds."""
    best = int(np.argmax(likeness))
    if not 0 < best < len(likeness) - 1:
        return float(LAGS[best])
    before, top, after = likeness[best - 1 : best + 2]
    bend = before - 2 * top + after
    return float(LAGS[best] + (0.5 * (before - after) / bend if bend < 0 else 0.0) / FEATURE_RATE)
