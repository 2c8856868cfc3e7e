"""The one place that knows every lip-sync engine: ours, and those of installed packages."""

from heygem_pipeline.errors import UnknownChoice
from heygem_pipeline.lipsync.engine import LipSyncEngine
from heygem_pipeline.plug_ins import PlugIns
from heygem_pipeline.settings import DEFAULTS, EngineSettings

ENGINES: PlugIns[LipSyncEngine] = PlugIns("engine", {"name": str, "version": str, "device": str, "generate": None})
"""Entry points of the group ``heygem_pipeline.engines``. Ours stand in ``pyproject.toml``; ``plug_ins`` loads all."""


def load_engine(name: str, settings: EngineSettings = DEFAULTS) -> LipSyncEngine:
    """Return the engine of that name. Raises UnknownChoice, PlugInUnusable, and what making the engine raises."""
    if name not in ENGINES:
        raise UnknownChoice("engine.unknown", name=name, known=", ".join(sorted(ENGINES)))
    return ENGINES[name](settings)
