"""What was ordered: how each clip is made, and what a voice's delivery holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import dagster as dg

from heygem_pipeline.clip.render_spec import RenderSpec, default_render_spec
from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.runs.partitions import presenter_partitions
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import data_folders
from heygem_pipeline.synthesis.front_matter import FrontMatter

UNFINISHED = "It is not finished yet."


@dataclass(frozen=True)
class DeliverySpec:
    """What a voice's ZIP holds.

    Attributes:
        unfinished: why a wanted clip is not in it, by presenter; "" for those that are.
        version: all that it is made of; a ZIP of another version is out of date.
        language: BCP 47, in the clips' names.
        report: whether the clips' reports lie beside them.
        filmstrips: whether pictures of them do.
        voice: whether the voice does.
    """

    unfinished: Mapping[str, str]
    version: str
    language: str | None = None
    report: bool = False
    filmstrips: bool = False
    voice: bool = False

    @property
    def finished(self) -> list[str]:
        """The presenters whose clips are in it, in order."""
        return sorted(presenter_key for presenter_key, sentence in self.unfinished.items() if not sentence)


class SpecificationSource(Protocol):
    """Who says what was ordered; the graph asks when a run is at work."""

    def render_spec(self, clip: ClipKey) -> RenderSpec:
        """How this clip is made. Raises CampaignsDisagree."""
        ...

    def speech_order(self, voice_key: str) -> FrontMatter:
        """How the script of this voice is spoken where it says nothing itself. Raises CampaignsDisagree."""
        ...

    def delivery_spec(self, instance: dg.DagsterInstance, voice_key: str) -> DeliverySpec:
        """What this voice's ZIP holds."""
        ...


class DefaultSpecifications:
    """Every clip as the settings say; every finished clip in the ZIP."""

    def render_spec(self, clip: ClipKey) -> RenderSpec:
        """As the settings say."""
        return default_render_spec(settings())

    def speech_order(self, voice_key: str) -> FrontMatter:
        """As the settings say."""
        return FrontMatter()

    def delivery_spec(self, instance: dg.DagsterInstance, voice_key: str) -> DeliverySpec:
        """Every clip."""
        folders = data_folders()
        presenter_keys = presenter_partitions.get_partition_keys(dynamic_partitions_store=instance)
        reports = {
            presenter_key: finished_report(folders, ClipKey(voice_key, presenter_key))
            for presenter_key in presenter_keys
        }
        return DeliverySpec(
            {presenter_key: "" if report else UNFINISHED for presenter_key, report in reports.items()},
            "-".join(report.produce_id[:12] for report in reports.values() if report) or "none",
        )
