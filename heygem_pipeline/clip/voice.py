"""A voice, analysed once and used for every clip it speaks in."""

import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from heygem_pipeline.clip.unchanged import require_unchanged
from heygem_pipeline.media.fingerprint import fingerprint
from heygem_pipeline.settings import UploadLimits
from heygem_pipeline.settings import settings as settings_of_environment
from heygem_pipeline.speech.analysis import analyse_speech
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline.speech.parquet import read_features, write_features
from heygem_pipeline.storage.metadata import read_metadata


@dataclass(frozen=True)
class Voice:
    """An analysed voice.

    Attributes:
        path: the upload.
        fingerprint: of its content when it was analysed.
        seconds: what the analysis took.
    """

    path: Path
    fingerprint: str
    speech: SpeechFeatures
    seconds: float

    def require_unchanged(self) -> None:
        """Raise UploadReplaced if the upload is no longer what was analysed."""
        require_unchanged(self.path, self.fingerprint)


def analyse_voice(path: str | os.PathLike[str], settings: UploadLimits | None = None) -> Voice:
    """Analyse an upload. Raises BadInput where it cannot be a voice. settings: default, those of the environment."""
    started = perf_counter()
    path = Path(path)
    mark = fingerprint(path)
    return Voice(path, mark, analyse_speech(path, settings or settings_of_environment()), perf_counter() - started)


def save_voice(voice: Voice, destination: Path) -> None:
    """Store the analysis as Parquet, whole or not at all."""
    write_features(voice.speech, destination, {"fingerprint": voice.fingerprint, "seconds": str(voice.seconds)})


def load_voice(stored: Path, path: Path) -> Voice:
    """Return what ``save_voice`` stored for the upload at ``path``."""
    known = read_metadata(stored)
    return Voice(path, known["fingerprint"], read_features(stored), float(known["seconds"]))
