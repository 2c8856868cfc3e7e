"""How long clips take on this machine, from those that were made here."""

from dataclasses import dataclass
from statistics import median

from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.runs.history import seconds_of_latest
from heygem_pipeline.runs.instance import Instance
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.folders import DataFolders

CLIPS_LOOKED_AT = 20


@dataclass(frozen=True)
class Estimate:
    """A clip of n seconds takes about ``start + each * n`` seconds."""

    start: float
    each: float

    def seconds_for(self, duration: float) -> float:
        """For a clip of this length."""
        return self.start + self.each * duration


def estimate_of(instance: Instance, folders: DataFolders) -> Estimate | None:
    """The middle of what the latest clips took; None where none was made yet."""
    spent = []
    for key, seconds in seconds_of_latest(instance, CLIPS_LOOKED_AT).items():
        report = finished_report(folders, ClipKey.from_partition(key))
        if report is not None:
            spent.append((seconds, report))
    if not spent:
        return None
    return Estimate(
        start=median(max(0.0, seconds - report.own_seconds) for seconds, report in spent),
        each=median(report.own_seconds / report.duration for _, report in spent),
    )
