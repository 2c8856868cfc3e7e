"""What was spoken when: kept beside a recording that was made from a script, and shown as subtitles."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class Transcript:
    """A spoken script.

    Attributes:
        script: the file's name.
        version: of all that the recording was made of (``recording.script_version``).
        sha256: of the recording.
        synthetic: nobody spoke it.
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

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


def write_transcript(transcript: Transcript, destination: Path) -> None:
    """Store it as JSON, whole or not at all."""
    with atomic_path(destination) as temporary:
        temporary.write_text(json.dumps(transcript.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")


def read_transcript(stored: Path) -> Transcript:
    """Return what ``write_transcript`` stored. Raises KeyError where another version stored it."""
    values = json.loads(stored.read_text(encoding="utf-8"))
    try:
        sentences = tuple(SpokenSentence(**sentence) for sentence in values.pop("sentences"))
        return Transcript(**values, sentences=sentences)
    except TypeError as error:
        raise KeyError(stored.name) from error


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
