"""What a voice says, where that is known: from its script, or from a text or subtitles beside the recording."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.errors import PipelineError
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.subtitles import Cue, SubtitleTrack, read_cues
from heygem_pipeline.media.trim import Trim
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import DEFAULTS, SynthesisSettings, UploadLimits
from heygem_pipeline.speech.analysis import activity_of
from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.speech.mel import SAMPLE_RATE
from heygem_pipeline.storage.fingerprint import file_state, fingerprint
from heygem_pipeline.synthesis.front_matter import language_of_name
from heygem_pipeline.synthesis.pause_alignment import aligned
from heygem_pipeline.synthesis.script import LARGEST_FILE, SUBTITLES, read_script
from heygem_pipeline.synthesis.transcript import Transcript, cues_of, transcript_of

SUFFIXES = (".srt", ".vtt", ".txt")
"""Of what may lie beside a recording, under its name; the first that is there counts."""

DIGITS = 16

SPEAKS = 0.5
"""Probability of speech above which somebody speaks."""


@dataclass(frozen=True)
class VoiceText:
    """What is said, and when.

    Attributes:
        version: of all that it was made of.
        synthetic: engine and voice where nobody spoke it; "" where a person did, or nobody knows.
        warnings: why there are no subtitles, though there is a text.
    """

    track: SubtitleTrack
    version: str
    synthetic: str = ""
    warnings: tuple[Message, ...] = field(default=())

    def between(self, begin: float, end: float) -> "VoiceText":
        """The same of a part of the voice, by the time of that part."""
        return replace(self, track=self.track.between(begin, end))


def text_of_script(transcript: Transcript) -> VoiceText:
    """Of a voice that was made from a script."""
    track = SubtitleTrack(cues_of(transcript.sentences), transcript.language)
    return VoiceText(track, transcript.version, f"{transcript.engine} {transcript.voice}")


def text_files(folder: Path) -> dict[str, Path]:
    """Stem -> what lies in a folder of recordings as text of one."""
    found: dict[str, Path] = {}
    try:
        paths = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    except OSError:
        return {}
    for path in sorted(paths, key=lambda one: (SUFFIXES.index(one.suffix.lower()), one.name), reverse=True):
        found[path.stem] = path
    return found


def text_versions(recordings: Mapping[str, Path]) -> dict[str, str]:
    """Voice -> version of the text beside its recording, of those that have one."""
    beside = {folder: text_files(folder) for folder in {path.parent for path in recordings.values()}}
    found = {key: beside[path.parent].get(path.stem) for key, path in recordings.items()}
    return {key: version for key, path in found.items() if path is not None and (version := _version(path))}


def text_beside(voice: Voice, told: str = "", limits: UploadLimits = DEFAULTS) -> VoiceText | None:
    """The text that came with a voice's recording, by the time of what is used of it; None where there is none.

    Args:
        told: the language of the voice as somebody said it, where neither the file nor its name does.
    """
    known = voice.speech.activity if voice.trim.is_whole else None
    return text_of_recording(voice.path, voice.trim, limits, told, voice.fingerprint, known)


def text_of_recording(
    recording: Path,
    trim: Trim,
    limits: UploadLimits,
    told: str = "",
    mark: str = "",
    activity: NDArray[np.float32] | None = None,
) -> VoiceText | None:
    """The same of a recording that is not analysed.

    Args:
        told: as of ``text_beside``.
        mark: its fingerprint, where that is known.
        activity: of the whole recording, where that is known.
    """
    path = text_files(recording.parent).get(recording.stem)
    version = _version(path) if path is not None else ""
    synthetic = _synthetic(recording, mark)
    if path is None or not version:
        return VoiceText(SubtitleTrack(()), "", synthetic) if synthetic else None
    language = language_of_name(path.stem) or told
    try:
        # A text belongs to the recording as it came, whatever is used of it.
        cues, said = _cues(path, recording, limits, activity)
    except PipelineError as error:
        return VoiceText(SubtitleTrack((), language), version, synthetic, (error.message,))
    track = SubtitleTrack(tuple(cues), said or language)
    nothing = () if track.cues else (Message("subtitles.none", file=path.name),)
    return VoiceText(track.between(*trim.seconds), version, synthetic, nothing)


def _cues(
    path: Path, recording: Path, limits: UploadLimits, activity: NDArray[np.float32] | None
) -> tuple[Iterable[Cue], str]:
    """What a file holds, and the language that it tells; "" where it tells none."""
    if path.suffix.lower() in SUBTITLES:
        text = _content(path).decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
        return sorted((cue for cue in read_cues(text) if cue.text), key=lambda cue: cue.begin), ""
    script = read_script(path, SynthesisSettings.model_construct(max_script_words=100_000))
    if activity is None:
        activity = activity_of(read_sound(recording, SAMPLE_RATE, limits))
    cues = cues_of(aligned(script.paragraphs, activity > SPEAKS, FEATURE_RATE))
    return cues, script.says.language or ""


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_FILE)


def _version(path: Path) -> str:
    """ "" for what is no file that can be read."""
    try:
        return _digest(path, file_state(path)) if path.is_file() and not path.is_symlink() else ""
    except (PipelineError, OSError):
        return ""


@lru_cache(maxsize=4096)
def _digest(path: Path, _state: str) -> str:
    """Of a file in this state."""
    return hashlib.sha256(path.suffix.lower().encode() + _content(path)).hexdigest()[:DIGITS]


def _synthetic(recording: Path, mark: str) -> str:
    """Engine and voice of a recording that was made from a script, as the transcript beside it tells."""
    transcript = transcript_of(recording, mark or fingerprint(recording))
    return f"{transcript.engine} {transcript.voice}" if transcript is not None else ""
