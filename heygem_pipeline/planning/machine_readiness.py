"""What this machine has and lacks: engines, trackers, weights, folders; told before a run starts in vain."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from heygem_pipeline.checkpoints.weights import require_obtainable
from heygem_pipeline.clip.presenter import current_tracker
from heygem_pipeline.clip.sidecar import read_sidecar, read_trim
from heygem_pipeline.errors import NotReady, SidecarWrong
from heygem_pipeline.faces.tracker_registry import load_tracker
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import EngineSettings, NetworkSettings, Settings, WeightSettings
from heygem_pipeline.storage.paths import REPORT_SUFFIX, SIDECAR_SUFFIX, DataFolders, sidecar_of
from heygem_pipeline.storage.version_strings import name_and_version


class Tracking(NamedTuple):
    """How a presenter is tracked.

    Attributes:
        tracker: by name and version; with a sidecar that cannot be understood, one that nothing was made with yet.
        anyway: no notice is taken of how far the head is turned.
    """

    tracker: str
    anyway: bool


def tracking_of(upload: Path, settings: Settings) -> Tracking:
    """What the settings and a presenter's sidecar say."""
    try:
        sidecar = read_sidecar(upload)
        return Tracking(current_tracker(settings, sidecar), sidecar.make_anyway)
    except SidecarWrong as error:
        return Tracking(repr(error.message), anyway=False)


def voice_parts(recordings: Mapping[str, Path]) -> dict[str, str]:
    """Voice -> the part of its recording that is used, of those that are not used as a whole.

    With a sidecar that cannot be understood, a part that nothing was made of yet.
    """
    folders = {path.parent for path in recordings.values()}
    beside = {path for folder in folders for path in folder.glob(f"*{SIDECAR_SUFFIX}")}
    parts = {}
    for key, path in recordings.items():
        if sidecar_of(path) not in beside:
            continue
        try:
            written = read_trim(path).written
        except SidecarWrong as error:
            written = repr(error.message)
        if written:
            parts[key] = written
    return parts


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


def tracker_of(name: str, settings: NetworkSettings) -> tuple[str, Message | None]:
    """The same of a tracker."""
    try:
        tracker = load_tracker(name, settings)
    except NotReady as error:
        return name, error.message
    return name_and_version(tracker.name, tracker.version), lack_of_weights(name, settings)


def lack_of_outputs(folders: DataFolders) -> Message | None:
    """Why clips that are not there do not count as deleted; None where nothing is amiss."""
    if folders.bucket or not folders.seen.is_away("outputs", folders.outputs):
        return None
    count = sum(1 for _ in folders.reports.rglob(f"*{REPORT_SUFFIX}"))
    return Message("outputs.folder_away", folder=folders.outputs.name, count=count) if count else None
