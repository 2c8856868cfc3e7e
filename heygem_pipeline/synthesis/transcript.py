"""What was spoken when: kept beside a recording that was made from a script, and shown as subtitles."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any

from heygem_pipeline.media import subtitles
from heygem_pipeline.media.subtitles import Cue, shared_out
from heygem_pipeline.storage.atomic import atomic_path


@dataclass(frozen=True)
class SpokenSentence:
    """begin, end: seconds from the recording's beginning. paragraph: its number, from 0."""

    text: str
    begin: float
    end: float
    paragraph: int


LARGEST_FILE = 2**26
"""Bytes; the longest script takes a few millions."""

TOUCHING_SOUNDS, TEETH_SOUNDS = ("m", "b", "p"), ("f", "v")
"""In IPA: sounds for which the lips touch, and for which the lower one touches the teeth."""


@dataclass(frozen=True)
class LipSound:
    """A sound for which lips meet. sign: one of those above. begin, end: as of ``SpokenSentence``."""

    sign: str
    begin: float
    end: float


@dataclass(frozen=True)
class Transcript:
    """A spoken script.

    Attributes:
        script: the file's name.
        version: of all that the recording was made of (``recording.script_version``).
        sha256: of the recording.
        synthetic: nobody spoke it.
        lip_sounds: all of them, where the engine knows when it says which sound; else None.
    """

    script: str
    language: str
    engine: str
    engine_version: str
    voice: str
    speed: float
    version: str
    sha256: str
    sentences: tuple[SpokenSentence, ...]
    synthetic: bool = True
    lip_sounds: tuple[LipSound, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


def write_transcript(transcript: Transcript, destination: Path) -> None:
    """Store it as JSON, whole or not at all."""
    with atomic_path(destination) as temporary:
        temporary.write_text(json.dumps(transcript.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")


def read_transcript(stored: Path) -> Transcript:
    """Return what ``write_transcript`` stored. Raises KeyError where another version stored it, ValueError for none."""
    if stored.stat().st_size > LARGEST_FILE:
        raise ValueError(stored.name)
    values = json.loads(stored.read_text(encoding="utf-8"))
    try:
        sentences = tuple(SpokenSentence(**sentence) for sentence in values.pop("sentences"))
        told = values.pop("lip_sounds", None)
        lip_sounds = None if told is None else tuple(_lip_sound(**sound) for sound in told)
        return Transcript(**values, sentences=sentences, lip_sounds=lip_sounds)
    except TypeError as error:
        raise KeyError(stored.name) from error


def _lip_sound(sign: str, begin: float, end: float) -> LipSound:
    """Of a file that anybody may have written. Raises ValueError, TypeError for what is no sound."""
    if sign not in (*TOUCHING_SOUNDS, *TEETH_SOUNDS) or not 0 <= begin < end < inf:
        raise ValueError(sign)
    return LipSound(sign, begin, end)


def transcript_of(recording: Path, sha256: str) -> Transcript | None:
    """What lies beside a recording as its transcript; None where there is none, or it is that of another."""
    try:
        transcript = read_transcript(recording.with_suffix(".json"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return transcript if transcript.sha256 == sha256 else None


def write_subtitles(transcript: Transcript, destination: Path) -> None:
    """Write them as WebVTT, whole or not at all."""
    with atomic_path(destination) as temporary:
        temporary.write_text(web_vtt(transcript.sentences), encoding="utf-8")


def cues_of(sentences: Sequence[SpokenSentence]) -> tuple[Cue, ...]:
    """The sentences as subtitles."""
    return tuple(cue for one in sentences for cue in shared_out(one.begin, one.end, one.text))


def web_vtt(sentences: Sequence[SpokenSentence]) -> str:
    """The sentences as WebVTT."""
    return subtitles.web_vtt(cues_of(sentences))
