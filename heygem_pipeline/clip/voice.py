"""A voice, analysed once and used for every clip it speaks in."""

import os
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from time import perf_counter

from heygem_pipeline.clip.sidecar import read_trim
from heygem_pipeline.media.probe import SoundInfo, probe_sound
from heygem_pipeline.media.trim import WHOLE, Trim
from heygem_pipeline.settings import UploadLimits
from heygem_pipeline.settings import settings as settings_of_environment
from heygem_pipeline.speech.analysis import ANALYSIS_VERSION, analyse_speech
from heygem_pipeline.speech.features import KnownClosure, SpeechFeatures, read_features, write_features
from heygem_pipeline.storage.fingerprint import file_state, fingerprint, require_unchanged
from heygem_pipeline.storage.parquet import read_metadata
from heygem_pipeline.synthesis.transcript import TOUCHING_SOUNDS, transcript_of


@dataclass(frozen=True)
class Voice:
    """An analysed voice.

    Attributes:
        path: the upload.
        fingerprint: of its content when it was analysed.
        seconds: what the analysis took.
        state: of the file when it was analysed, as ``file_state`` says it; "" where that is not known.
        sound: what was probed of it, where that was in this process.
        trim: the part of it that was analysed, and is heard.
    """

    path: Path
    fingerprint: str
    speech: SpeechFeatures
    seconds: float
    state: str = ""
    sound: SoundInfo | None = field(default=None, repr=False)
    trim: Trim = WHOLE

    def require_unchanged(self) -> None:
        """Raise UploadReplaced if the upload is no longer what was analysed."""
        require_unchanged(self.path, self.fingerprint, self.state)

    def open(self, limits: UploadLimits) -> SoundInfo:
        """What is heard of the upload."""
        return self.sound or replace(probe_sound(self.path, limits), trim=self.trim)


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
    sound = open_voice(path, limits)
    known = known_closures(path, mark, *sound.trim.seconds)
    speech = replace(analyse_speech(path, limits, sound), closures=known)
    return Voice(path, mark, speech, perf_counter() - started, state, sound, sound.trim)


def open_voice(path: Path, limits: UploadLimits) -> SoundInfo:
    """Probe an upload, and the part of it that its sidecar says is used. Raises what ``probe_sound`` and that raise."""
    return replace(probe_sound(path, limits), trim=read_trim(path))


def current_analysis(trim: Trim) -> str:
    """The version by which a voice is analysed of which this part is used."""
    return f"{ANALYSIS_VERSION} {trim.written}".rstrip()


def save_voice(voice: Voice, destination: Path) -> None:
    """Store the analysis as Parquet, whole or not at all."""
    known = {"fingerprint": voice.fingerprint, "seconds": str(voice.seconds), "state": voice.state}
    known |= {} if voice.trim.is_whole else {"trim": voice.trim.written}
    write_features(voice.speech, destination, known)


def load_voice(stored: Path, path: Path) -> Voice:
    """Return what ``save_voice`` stored for the upload at ``path``."""
    known = read_metadata(stored)
    seconds, state, trim = float(known["seconds"]), known.get("state", ""), Trim.read(known.get("trim", ""))
    return Voice(path, known["fingerprint"], read_features(stored), seconds, state, trim=trim)


def known_closures(
    recording: Path, fingerprint: str, begin: float = 0.0, end: float = inf
) -> tuple[KnownClosure, ...] | None:
    """All closures of a part of a recording, by the time of that part; None where nobody told them.

    Args:
        fingerprint: of the recording, which tells whether the transcript beside it is its own.
        begin: second at which the part begins.
        end: and ends.
    """
    transcript = transcript_of(recording, fingerprint)
    if transcript is None or transcript.lip_sounds is None:
        return None
    return tuple(
        KnownClosure(one.begin - begin, one.end - begin, one.sign in TOUCHING_SOUNDS)
        for one in transcript.lip_sounds
        if begin < one.end and one.begin < end
    )
