"""The one place that knows every lip-sync engine."""

from collections.abc import Callable

from heygem_pipeline.errors import UnknownChoice
from heygem_pipeline.lipsync.engine import LipSyncEngine
from heygem_pipeline.settings import DEFAULTS, EngineSettings


def _warp(_settings: EngineSettings) -> LipSyncEngine:
    from heygem_pipeline.lipsync.warp.engine import WarpEngine

    return WarpEngine()


def _wav2lip(settings: EngineSettings) -> LipSyncEngine:
    from heygem_pipeline.lipsync.wav2lip.engine import Wav2LipEngine

    return Wav2LipEngine(settings=settings)


ENGINES: dict[str, Callable[[EngineSettings], LipSyncEngine]] = {"warp": _warp, "wav2lip": _wav2lip}


def load_engine(name: str, settings: EngineSettings = DEFAULTS) -> LipSyncEngine:
    """Return the engine of that name. Raises UnknownChoice."""
    if name not in ENGINES:
        raise UnknownChoice("engine.unknown", name=name, known=", ".join(sorted(ENGINES)))
    return ENGINES[name](settings)
