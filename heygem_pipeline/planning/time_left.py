"""How long clips take on this machine, from those that were made here, and how long one still takes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median

from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.runs.history import Span, spans_of_latest
from heygem_pipeline.runs.instance import Instance
from heygem_pipeline.runs.progress import seconds_for_rest
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders

CLIPS_READ = 20

SURE_SHARE, SURE_SECONDS = 0.15, 2.0
"""How far a run must be before its speed until now tells when it ends."""


@dataclass(frozen=True)
class Estimate:
    """A clip of n seconds takes about ``start + each * n`` seconds.

    Attributes:
        beside: the share of its clips' seconds that a batch takes: less than 1 where several are made at a time.
    """

    start: float
    each: float
    beside: float = 1.0

    def seconds_for(self, duration: float) -> float:
        """For a clip of this length."""
        return self.start + self.each * duration


def estimate_of(instance: Instance, folders: DataFolders) -> Estimate | None:
    """The middle of what the latest clips took; None where none was made yet."""
    spans = spans_of_latest(instance, CLIPS_READ)
    spent = []
    for key, (began, ended) in spans.items():
        report = finished_report(folders, ClipKey.from_partition(key))
        if report is not None:
            spent.append((ended - began, report))
    if not spent:
        return None
    return Estimate(
        start=median(max(0.0, seconds - report.own_seconds) for seconds, report in spent),
        each=median(report.own_seconds / report.duration for _, report in spent),
        beside=share_of_clock(spans.values()),
    )


def share_of_clock(spans: Collection[Span]) -> float:
    """Of the seconds that all spans last together, those in which at least one of them does."""
    covered, reached = 0.0, float("-inf")
    for began, ended in sorted(spans):
        covered += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    lasted = sum(ended - began for began, ended in spans)
    return covered / lasted if lasted > 0 else 1.0


def speeds_here(instance: Instance, folders: DataFolders) -> dict[str, float]:
    """Engine -> seconds of clip that it made in a second here, the middle of the latest clips."""
    found: dict[str, list[float]] = {}
    for key in spans_of_latest(instance, CLIPS_READ):
        report = finished_report(folders, ClipKey.from_partition(key))
        if report is not None and report.own_seconds > 0:
            found.setdefault(report.engine, []).append(report.speed)
    return {engine: median(speeds) for engine, speeds in found.items()}


def seconds_left(estimate: Estimate | None, duration: float | None, share: float | None, spent: float) -> float | None:
    """Seconds until a clip is made: as earlier ones took, else from how far its run came; None where nobody can tell.

    Args:
        duration: of its voice.
        share: of it that is made, None before it is begun.
        spent: seconds its run took until now.
    """
    if estimate is not None and duration:
        return estimate.seconds_for(duration) * (1 - (share or 0.0))
    if share is not None and share > SURE_SHARE and spent > SURE_SECONDS:
        return seconds_for_rest(share, spent)
    return None


def seconds_left_of_all(estimate: Estimate | None, left: Sequence[float | None]) -> float | None:
    """Seconds until a batch is made, from those of its clips; None where nobody can tell of one of them."""
    known = [seconds for seconds in left if seconds is not None]
    if len(known) < len(left):
        return None
    return max(max(known, default=0.0), sum(known) * (estimate.beside if estimate is not None else 1.0))
