"""Does a finished clip say what is heard? Its mouth against the mouth of the person whose speech it is.

The real speaker is the truth: no network judges itself. Time is that of the sound; the lag between sound and picture of
the speaker's own clip is taken out.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_closures import SAID, TOUCH_ASKED, Closures, count_closures, lips_touch
from benchmarks.quality_footage import MadeClip, Speaker
from benchmarks.quality_mouth import asked_gap, read_output, seen_gap, seen_width, sharp_gap
from benchmarks.quality_run import Run, print_head, print_row
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.quality.sync_meter import picture_after_sound
from heygem_pipeline.speech.cross_correlation import correlation_at_lags
from heygem_pipeline.speech.features import FEATURE_RATE

LAGS = np.arange(-40, 41) / FEATURE_RATE
"""Seconds: half a second either way."""


Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """A finished clip's mouth against the speaker's.

    predicted: correlation of the opening the engine asked for, at its best lag. at_best, at_own: of the finished clip,
    at its best lag and at none. lag: seconds by which the output comes after the speaker. lag_frames: the same in
    frames of the output. width: correlation of the mouth's width, at its best lag.
    opens, opens_speaker: how far the mouth opens, from the 5th to the 95th percentile of its gaps. spreads,
    spreads_speaker: standard deviation of its width. Both as shares of the mouth's usual width.
    """

    voice: str
    presenter: str
    seconds: float
    predicted: float
    at_best: float
    at_own: float
    lag: float
    lag_frames: float
    width: float
    opens: float
    opens_speaker: float
    spreads: float
    spreads_speaker: float
    closures: Closures


def says_what_is_heard(run: Run) -> list[dict[str, object]]:
    """Correlation, lag and closures of finished clips against the real speakers."""
    print_head(
        *("voice (lag by, confidence)", "presenter", "asked", "best lag", "own lag", "lag, frames"),
        *("m b p", "touch", "asked", "chance", "false", "width", "opens (speaker)", "spreads (speaker)"),
    )
    idle = _compare_all(run, run.pairs())
    return idle if run.quick else idle + _compare_all(run, run.speaking_presenters())


def _compare_all(run: Run, pairs: list[tuple[Speaker, Presenter]]) -> list[dict[str, object]]:
    found: list[Likeness] = []
    for speaker, presenter in pairs:
        clip = run.clip(speaker, presenter)
        found.append(compare(clip, speaker, read_output(clip.path, presenter.tracks)))
        _print_likeness(found[-1], speaker)
    _print_summary(found)
    return [asdict(like) for like in found]


def _print_likeness(like: Likeness, speaker: Speaker) -> None:
    closures = like.closures
    print_row(
        f"{like.voice[:18]} ({speaker.lag_source})",
        like.presenter[:16],
        f"{like.predicted:.2f}",
        f"{like.at_best:.2f}",
        f"{like.at_own:.2f}",
        f"{like.lag_frames:+.1f}",
        str(closures.count),
        str(closures.touched),
        str(closures.asked),
        f"{closures.by_chance:.0%}",
        f"{closures.falsely_closed / max(closures.open, 0.01):.0%}",
        f"{like.width:.2f}",
        f"{like.opens:.0%} ({like.opens_speaker:.0%})",
        f"{like.spreads:.1%} ({like.spreads_speaker:.1%})",
    )


def _print_summary(found: list[Likeness]) -> None:
    lags = np.abs([like.lag_frames for like in found])
    count = sum(like.closures.count for like in found)
    chance = sum(like.closures.by_chance * like.closures.count for like in found if like.closures.count) / count
    false = sum(like.closures.falsely_closed for like in found) / sum(like.closures.open for like in found)
    print_row(
        f"**median of {len(found)}**",
        f"lag <=1: {np.mean(lags <= 1):.0%}, <=3: {np.mean(lags <= 3):.0%}",
        f"{median(like.predicted for like in found):.2f}",
        f"{median(like.at_best for like in found):.2f}",
        f"{median(like.at_own for like in found):.2f}",
        f"{median(like.lag_frames for like in found):+.1f}",
        str(count),
        f"{sum(like.closures.touched for like in found) / count:.0%}",
        f"{sum(like.closures.asked for like in found) / count:.0%}",
        f"{chance:.0%}",
        f"{false:.0%}",
        f"{median(like.width for like in found):.2f}",
        f"{median(like.opens for like in found):.0%} ({median(like.opens_speaker for like in found):.0%})",
        f"{median(like.spreads for like in found):.1%} ({median(like.spreads_speaker for like in found):.1%})",
    )


def compare(clip: MadeClip, speaker: Speaker, output: FaceTracks) -> Likeness:
    """Compare a finished clip with the one who really said it."""
    speech, rate = clip.voice.speech, float(clip.presenter.tracks.frame_rate)
    times = np.arange(len(output)) / rate + picture_after_sound(clip.path)
    truth = speaker_curve(speaker, len(speech.activity), seen_gap)
    asked = asked_gap(clip)
    gap = seen_gap(output)
    said = speech.activity > SAID
    curves = correlation_at_lags(truth, gap, times, LAGS, differences=False)
    # Positive there: the truth comes later than the output.
    lag = -_top(correlation_at_lags(truth, gap, times, LAGS))
    width, true_width = seen_width(output), speaker_curve(speaker, len(said), seen_width)
    usual, true_usual = float(np.nanmedian(width)), float(np.nanmedian(true_width))
    return Likeness(
        voice=speaker.name,
        presenter=clip.presenter.path.stem,
        seconds=float(speech.duration),
        predicted=float(correlation_at_lags(truth, asked, times, LAGS, differences=False).max()),
        at_best=float(curves.max()),
        at_own=float(curves[len(LAGS) // 2]),
        lag=lag,
        lag_frames=lag * rate,
        width=float(correlation_at_lags(true_width, width, times, LAGS, differences=False).max()),
        opens=opening_span(gap) / usual,
        opens_speaker=opening_span(truth) / true_usual,
        spreads=float(np.nanstd(width)) / usual,
        spreads_speaker=float(np.nanstd(true_width)) / true_usual,
        closures=count_closures(
            speaker_curve(speaker, len(said), sharp_gap),
            said,
            times,
            lips_touch(sharp_gap(output), clip.presenter.tracks),
            asked <= TOUCH_ASKED,
        ),
    )


def speaker_curve(
    speaker: Speaker, rows: int, read: Callable[[FaceTracks], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """What the speaker's mouth did, at the feature rate, in the time of the sound; NaN where it was not seen."""
    tracks = speaker.presenter.tracks
    curve = read(tracks)
    times = np.arange(len(curve)) / float(tracks.frame_rate)
    times = times + picture_after_sound(speaker.presenter.path) + speaker.lag
    at = np.arange(rows) / FEATURE_RATE
    seen = np.isfinite(curve)
    values = np.interp(at, times[seen], curve[seen], left=np.nan, right=np.nan)
    unseen = np.interp(at, times, ~seen, left=1, right=1) > 0
    return np.where(unseen, np.nan, values)


def opening_span(gap: NDArray[np.float64]) -> float:
    """How far a mouth opens: from the 5th to the 95th percentile of its gaps."""
    return float(np.subtract(*np.nanpercentile(gap, (95, 5))))


def _top(likeness: NDArray[np.float64]) -> float:
    """Lag of the top of the parabola through the best lag and its neighbours, seconds."""
    best = int(np.argmax(likeness))
    if not 0 < best < len(likeness) - 1:
        return float(LAGS[best])
    before, top, after = likeness[best - 1 : best + 2]
    bend = before - 2 * top + after
    return float(LAGS[best] + (0.5 * (before - after) / bend if bend < 0 else 0.0) / FEATURE_RATE)
