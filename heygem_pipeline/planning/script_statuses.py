"""Where the recordings of scripts stand: what each is to be made of, and whether the one that is there is that."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import dagster as dg

from heygem_pipeline.errors import PipelineError
from heygem_pipeline.messages.message import Message
from heygem_pipeline.runs.materializations import data_versions, keys_like
from heygem_pipeline.settings import Settings, SynthesisSettings
from heygem_pipeline.storage.fingerprint import file_state
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.version_strings import parts_of_spoken_version
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.synthesis.recording import script_version
from heygem_pipeline.synthesis.script import Script, read_script
from heygem_pipeline.synthesis.speech_spec import SpeechSpec, speech_spec
from heygem_pipeline.uploads.registry import Upload

SCRIPTS_REMEMBERED = 2000


@dataclass(frozen=True)
class ScriptStatus:
    """A script, as the voice that it becomes.

    Attributes:
        version: of all that its recording is to be made of; "" where that cannot be told.
        recording: fingerprint of the recording, where the one that is there is that; else "".
        settings: what else decides whether it can be spoken.
        hindrance: why it cannot be spoken on this machine, or at all.
        changing: it is not what was taken in, and waits for that.
    """

    upload: Upload
    version: str
    recording: str
    settings: str
    hindrance: Message | None
    changing: bool = False

    @property
    def as_voice(self) -> Upload:
        """With the fingerprint of its recording; of one that is still to be made, none that anything has."""
        return replace(self.upload, fingerprint=self.recording or f"unspoken {self.version}")

    @property
    def as_input(self) -> Upload:
        """With the fingerprint of all that decides whether its run succeeds."""
        return replace(self.upload, fingerprint=f"{self.version} {self.settings}")


def script_statuses(
    instance: dg.DagsterInstance,
    folders: DataFolders,
    settings: Settings,
    scripts: Mapping[str, Upload],
    orders: Mapping[str, FrontMatter | Message],
) -> dict[str, ScriptStatus]:
    """Look at every script that was taken in.

    Args:
        orders: of campaigns; a message where two disagree.
    """
    if not scripts:
        return {}
    made = data_versions(instance, folders, "spoken_script")
    there = keys_like(folders, folders.spoken("any")) & keys_like(folders, folders.transcript("any"))
    chosen = f"{settings.speech_address} {settings.speech_seconds:g} {settings.max_script_words}"
    statuses = {}
    for key, upload in scripts.items():
        was_made_of, recording = parts_of_spoken_version(made.get(key, "") if key in there else "")
        if not _is_as_taken_in(folders.scripts / upload.file, upload):
            # As with every upload, a change counts when it was taken in.
            statuses[key] = ScriptStatus(upload, was_made_of, recording, chosen, None, changing=not recording)
            continue
        ordered = orders.get(key, FrontMatter())
        if isinstance(ordered, Message):
            statuses[key] = ScriptStatus(upload, "", "", chosen, ordered)
            continue
        try:
            script, spec = _understood(folders.scripts / upload.file, settings, ordered)
            version, hindrance = script_version(script, spec), None
        except PipelineError as error:
            statuses[key] = ScriptStatus(upload, "", "", chosen, error.message)
            continue
        if was_made_of != version:
            recording, hindrance = "", _lack(spec)
        statuses[key] = ScriptStatus(upload, version, recording, chosen, hindrance)
    return statuses


def _is_as_taken_in(path: Path, upload: Upload) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return upload.is_as_before(status.st_size, status.st_mtime_ns)


def _understood(path: Path, settings: SynthesisSettings, ordered: FrontMatter) -> tuple[Script, SpeechSpec]:
    read = _read(path, file_state(path), settings.max_script_words)
    if isinstance(read, PipelineError):
        raise read
    return read, speech_spec(read, settings, ordered)


@lru_cache(maxsize=SCRIPTS_REMEMBERED)
def _read(path: Path, _state: str, most_words: int) -> Script | PipelineError:
    """The script, or what is wrong with it: read once, as long as its file is the same."""
    try:
        return read_script(path, SynthesisSettings(max_script_words=most_words))
    except PipelineError as error:
        return error.with_traceback(None)


def _lack(spec: SpeechSpec) -> Message | None:
    try:
        spec.engine.require_ready(spec.voice)
    except PipelineError as error:
        return error.message
    return None
