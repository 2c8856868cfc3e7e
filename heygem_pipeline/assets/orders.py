"""What was ordered: how each clip is made, and what a voice's delivery holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import dagster as dg

from heygem_pipeline.assets.partitions import template_partitions
from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.settings import ClipSettings, clip_settings, settings
from heygem_pipeline.storage.folders import data_folders

UNFINISHED = "It is not finished yet."


@dataclass(frozen=True)
class Making:
    """How a clip is made. engine: its name."""

    engine: str
    settings: ClipSettings


def usual_making() -> Making:
    """How clips are made where nothing else was ordered."""
    return Making(settings().engine, clip_settings())


@dataclass(frozen=True)
class DeliveryOrder:
    """What a voice's ZIP holds. unfinished: why a wanted clip is not in it, by template; "" for those that are.

    version: all that it is made of; a ZIP of another version is out of date. language: BCP 47, in the clips' names.
    report, filmstrips, voice: do they lie beside the clips?
    """

    unfinished: Mapping[str, str]
    version: str
    language: str | None = None
    report: bool = False
    filmstrips: bool = False
    voice: bool = False

    @property
    def finished(self) -> list[str]:
        """The templates whose clips are in it, in order."""
        return sorted(template for template, sentence in self.unfinished.items() if not sentence)


class Orders(Protocol):
    """Who says what was ordered; the graph asks when a run is at work."""

    def making(self, audio: str, template: str) -> Making:
        """How this clip is made. Raises CampaignsDisagree."""
        ...

    def delivery(self, instance: dg.DagsterInstance, audio: str) -> DeliveryOrder:
        """What this voice's ZIP holds."""
        ...


class UsualOrders:
    """Every clip as the settings say; every finished clip in the ZIP."""

    def making(self, audio: str, template: str) -> Making:
        """As the settings say."""
        return usual_making()

    def delivery(self, instance: dg.DagsterInstance, audio: str) -> DeliveryOrder:
        """Every clip."""
        folders = data_folders()
        templates = template_partitions.get_partition_keys(dynamic_partitions_store=instance)
        reports = {template: finished_report(folders, audio, template) for template in templates}
        return DeliveryOrder(
            {template: "" if report else UNFINISHED for template, report in reports.items()},
            "-".join(report.produce_id[:12] for report in reports.values() if report) or "none",
        )
