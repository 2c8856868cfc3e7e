"""How each clip is made: the engine and the settings of the campaigns that want it, and its presenter's tracker."""

from collections.abc import Mapping
from dataclasses import dataclass

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.campaigns.campaigns_folder import render_spec_of
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.machine_readiness import engine_of
from heygem_pipeline.quality.report import settings_of_report
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.versions import recipe_version


@dataclass(frozen=True)
class Recipe:
    """version: as ``clip_version`` takes it. lack: what keeps its engine from working on this machine."""

    version: str
    lack: Message | None


class Recipes:
    """Each is worked out once for all clips that the same campaigns want with the same tracker.

    trackers: of each presenter, by name and version.
    """

    def __init__(self, trackers: Mapping[str, str], settings: Settings) -> None:
        self._trackers = trackers
        self._settings = settings
        self._known: dict[tuple[int, str], tuple[Recipe, tuple[Campaign, ...]]] = {}

    def of(self, presenter: str, wanting: tuple[Campaign, ...]) -> Recipe:
        """The recipe of a clip with this presenter. wanting: the campaigns that want it."""
        which = id(wanting), self._trackers[presenter]
        if which not in self._known:
            # The campaigns are kept too: what is gone may leave its id to others.
            self._known[which] = self._work_out(which[1], wanting), wanting
        return self._known[which][0]

    def _work_out(self, tracker: str, wanting: tuple[Campaign, ...]) -> Recipe:
        spec = render_spec_of(wanting, default_render_spec(self._settings))
        engine, lack = engine_of(spec.engine, self._settings)
        return Recipe(recipe_version(tracker, engine, settings_of_report(spec.settings)), lack)
