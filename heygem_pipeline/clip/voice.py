"""A voice, analysed once and used for every clip it speaks in."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from heygem_pipeline.clip.known_closures import closures_told
from heygem_pipeline.clip.replaced_upload import require_unchanged
from heygem_pipeline.media.probe import SoundInfo, probe_sound
from heygem_pipeline.settings import UploadLimits
from heygem_pipeline.settings import settings as settings_of_environment
from heygem_pipeline.speech.analysis import analyse_speech
from heygem_pipeline.speech.features import SpeechFeatures, read_features, write_features
from heygem_pipeline.storage.fingerprint import file_state, fingerprint
from heygem_pipeline.storage.parquet import read_metadata


@dataclass(frozen=True)
class Voice:
    """An analysed voice.

    Attributes:
        path: the upload.
        fingerprint: of its content when it was analysed.
        seconds: what the analysis took.
        state: of the file when it was analysed, as ``file_state`` says it; "" where that is not known.
        sound: what was probed of it, where that was in this process.
    """

    path: Path
    fingerprint: str
    speech: SpeechFeatures
    seconds: float
    state: str = ""
    sound: SoundInfo | None = field(default=None, repr=False)

    def require_unchanged(self) -> None:
        """Raise UploadReplaced if the upload is no longer what was analysed."""
        require_unchanged(self.path, self.fingerprint, self.state)


def analyse_voice(path: str | os.PathLike[str], settings: UploadLimits | None = None) -> Voice:
    """Analyse an upload. Raises BadInput where it cannot be a voice.

    Args:
        settings: default, those of the environment.
    """
    started = perf_counter()
    path = Path(path)
    limits = settings or settings_of_environment()
    state = file_state(path)
    mark = fingerprint(path)
    sound = probe_sound(path, limits)
    speech = replace(analyse_speech(path, limits, sound), closures=closures_told(path, mark))
    return Voice(path, mark, speech, perf_counter() - started, state, sound)


def save_voice(voice: Voice, destination: Path) -> None:
    """Store the analysis as Parquet, whole or not at all."""
    known = {"fingerprint": voice.fingerprint, "seconds": str(voice.seconds), "state": voice.state}
    write_features(voice.speech, destination, known)


def load_voice(stored: Path, path: Path) -> Voice:
    """Return what ``save_voice`` stored for the upload at ``path``."""
    known = read_metadata(stored)
    return Voice(path, known["fingerprint"], read_features(stored), float(known["seconds"]), known.get("state", ""))
