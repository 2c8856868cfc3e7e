"""What was spoken when: kept beside a recording that was made from a script, and shown as subtitles."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from heygem_pipeline.storage.atomic import atomic_path

MOST_LINES, WIDEST_LINE = 2, 42
"""Of a subtitle, in columns; a letter of Chinese, Japanese and Korean takes two."""


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


def web_vtt(sentences: Sequence[SpokenSentence]) -> str:
    """The sentences as WebVTT; a long one becomes several subtitles, each as long as its share of the text."""
    cues = [
        f"{_clock(begin)} --> {_clock(end)}\n{escape(text, quote=False)}\n"
        for sentence in sentences
        for begin, end, text in _cues(sentence)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _cues(sentence: SpokenSentence) -> Iterator[tuple[float, float, str]]:
    lines = _lines(sentence.text)
    blocks = [lines[first : first + MOST_LINES] for first in range(0, len(lines), MOST_LINES)]
    widths = [sum(map(_columns, block)) for block in blocks]
    begin, each = sentence.begin, (sentence.end - sentence.begin) / sum(widths)
    for block, width in zip(blocks, widths, strict=True):
        yield begin, begin + width * each, "\n".join(block)
        begin += width * each


def _lines(text: str) -> list[str]:
    """Lines that are not too wide: broken between words, and anywhere in scripts that part none."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if _columns(joined) <= WIDEST_LINE:
            lines[-1] = joined
            continue
        lines.append("")
        for letter in word:
            if _columns(lines[-1] + letter) > WIDEST_LINE:
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line]


def _columns(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
