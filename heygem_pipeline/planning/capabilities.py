"""What engines and trackers this machine has, and what they lack; told before a run is started in vain."""

from pathlib import Path

from heygem_pipeline.checkpoints.weights import require_obtainable
from heygem_pipeline.clip.presenter import current_tracker
from heygem_pipeline.errors import NotReady, SidecarWrong
from heygem_pipeline.lipsync.engines import load_engine
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import EngineSettings, Settings, WeightSettings
from heygem_pipeline.storage.versions import name_and_version


def tracker_of(upload: Path, settings: Settings) -> str:
    """What a presenter is tracked with; with a sidecar that cannot be understood it counts as made with nothing yet."""
    try:
        return current_tracker(settings, upload)
    except SidecarWrong as error:
        return repr(error.message)


def lack_of_weights(tracker: str, weights: WeightSettings) -> Message | None:
    """What keeps a tracker, given by name and version, from working on this machine; None where nothing does."""
    try:
        require_obtainable(tracker.partition(" ")[0], weights)
    except NotReady as error:
        return error.message
    return None


def engine_of(name: str, settings: EngineSettings) -> tuple[str, Message | None]:
    """Name and version of an engine, and what keeps it from working on this machine; None where nothing does."""
    try:
        engine = load_engine(name, settings)
    except NotReady as error:
        return name, error.message
    return name_and_version(engine.name, engine.version), None
