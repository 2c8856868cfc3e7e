"""Subtitles: what is said and when, as SubRip and WebVTT, and as a clip's own track."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape, unescape
from math import inf

MOST_LINES, WIDEST_LINE = 2, 42
"""Of a subtitle, in columns; a letter of Chinese, Japanese and Korean takes two."""

_TIMES = re.compile(r"^\s*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})\s+-->\s+(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Cue:
    """One subtitle. begin, end: seconds of the voice. text: its lines."""

    begin: float
    end: float
    text: str


@dataclass(frozen=True)
class SubtitleTrack:
    """The subtitles of a voice, in order. language: BCP 47; "" where nobody said it."""

    cues: tuple[Cue, ...]
    language: str = ""

    def until(self, seconds: float) -> "SubtitleTrack":
        """Those that begin before, none longer than that."""
        kept = (replace(cue, end=min(cue.end, seconds)) for cue in self.cues if cue.begin < seconds)
        return SubtitleTrack(tuple(kept), self.language)

    def between(self, begin: float, end: float) -> "SubtitleTrack":
        """Those that are heard in a part of the voice, by the time of that part."""
        if begin <= 0:
            return self if end == inf else self.until(end)
        heard = (cue for cue in self.cues if cue.end > begin and cue.begin < end)
        moved = (replace(cue, begin=max(0.0, cue.begin - begin), end=min(cue.end, end) - begin) for cue in heard)
        return SubtitleTrack(tuple(moved), self.language)


def web_vtt(cues: Sequence[Cue]) -> str:
    """The subtitles as WebVTT."""
    told = [f"{_clock(cue.begin)} --> {_clock(cue.end)}\n{escape(cue.text, quote=False)}\n" for cue in cues]
    return "\n".join(["WEBVTT\n", *told])


def sub_rip(cues: Sequence[Cue]) -> str:
    """The subtitles as SubRip (SRT)."""
    return "\n".join(
        f"{number}\n{_clock(cue.begin, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues, start=1)
    )


def read_cues(text: str) -> list[Cue]:
    """What SubRip or WebVTT says, without names, styles and tags, as it stands there; empty where there is none."""
    found: list[Cue] = []
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.strip("\n").split("\n")
        at, times = next(((at, times) for at, line in enumerate(lines) if (times := _TIMES.match(line))), (0, None))
        if times is None:
            continue
        words = [" ".join(unescape(_TAG.sub("", line)).split()) for line in lines[at + 1 :]]
        begin, end = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
        found.append(Cue(begin, max(begin, end), "\n".join(word for word in words if word)))
    return found


def shared_out(begin: float, end: float, text: str) -> Iterator[Cue]:
    """A sentence as subtitles, several where it is long, each as long as its share of the text."""
    lines = wrapped(text)
    blocks = [lines[first : first + MOST_LINES] for first in range(0, len(lines), MOST_LINES)]
    widths = [sum(map(columns, block)) or 1 for block in blocks]
    each = (end - begin) / max(1, sum(widths))
    for block, width in zip(blocks, widths, strict=True):
        yield Cue(begin, begin + width * each, "\n".join(block))
        begin += width * each


def wrapped(text: str, widest: int = WIDEST_LINE) -> list[str]:
    """Lines that are not too wide: broken between words, and anywhere in scripts that part none."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if columns(joined) <= widest:
            lines[-1] = joined
            continue
        lines.append("")
        for letter in word:
            if columns(lines[-1] + letter) > widest:
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line]


def columns(text: str) -> int:
    """How wide it is, in letters of the Latin script."""
    from rich.cells import cell_len

    return cell_len(text)


def language_of_track(tag: str) -> str:
    """The three letters (ISO 639-2) by which an MP4 names a language; "und" for one that has none."""
    import langcodes

    try:
        return langcodes.get(tag).to_alpha3() if tag else "und"
    except (ValueError, LookupError):
        return "und"


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{fraction}")


def _clock(seconds: float, point: str = ".") -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"
