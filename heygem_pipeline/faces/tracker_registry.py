"""The one place that knows every face tracker: ours, and those of installed packages."""

from heygem_pipeline.errors import UnknownChoice
from heygem_pipeline.faces.tracker import FaceTracker
from heygem_pipeline.plug_ins import PlugIns
from heygem_pipeline.settings import DEFAULTS, NetworkSettings

TRACKERS: PlugIns[FaceTracker] = PlugIns("tracker", {"name": str, "version": str, "track": None})
"""Entry points of the group ``heygem_pipeline.trackers``. Ours stand in ``pyproject.toml``; ``plug_ins`` loads all."""


def load_tracker(name: str, networks: NetworkSettings = DEFAULTS) -> FaceTracker:
    """Return the tracker of that name. Raises UnknownChoice, PlugInUnusable, and what making the tracker raises."""
    if name not in TRACKERS:
        raise UnknownChoice("tracker.unknown", name=name, known=", ".join(TRACKERS))
    return TRACKERS[name](networks)
