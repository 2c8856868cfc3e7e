"""The kinds of file that a script may be: plain text, Markdown, and subtitles. Each becomes paragraphs."""

import re
from collections.abc import Callable
from html import unescape

PAUSE_SECONDS = 1.0
"""A gap of so much between two subtitles begins a new paragraph."""

_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
_CUE_TIMES = re.compile(
    r"^\s*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})\s+-->\s+(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
)

_CODE_BLOCK = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE)
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])")
_EMPHASIS = re.compile(r"(\*{1,3}|_{1,3}|~~|`+)(?=\S)(.+?)(?<=\S)\1")
_BULLET = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+")
_HEADING = re.compile(r"^\s*#{1,6}\s+(.*?)\s*#*$")
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$")
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~>])")


def plain_paragraphs(text: str) -> list[str]:
    """Of plain text: parted by empty lines."""
    return [" ".join(lines.split()) for lines in re.split(r"\n[ \t]*\n", text)]


def markdown_paragraphs(text: str) -> list[str]:
    """Of Markdown: without its marks, links' addresses, pictures and code; a heading or list item is a paragraph."""
    text = _TAG.sub(" ", _PICTURE.sub(" ", _CODE_BLOCK.sub("\n", text)))
    lines: list[str] = []
    for line in text.split("\n"):
        line = re.sub(r"^\s*(?:>\s?)+", "", line)
        heading, bullet = _HEADING.match(line), _BULLET.match(line)
        if _RULE.match(line) or ("|" in line and _TABLE_RULE.match(line)):
            lines.append("")
        elif heading:
            lines += ["", heading[1], ""]
        elif bullet:
            lines += ["", line[bullet.end() :]]
        elif line.lstrip().startswith("|"):
            lines += ["", ", ".join(cell.strip() for cell in line.strip().strip("|").split("|"))]
        else:
            lines.append(line)
    return [unescape(_without_marks(paragraph)) for paragraph in plain_paragraphs("\n".join(lines))]


def _without_marks(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    before = None
    while before != text:
        before, text = text, _EMPHASIS.sub(r"\2", text)
    return _ESCAPED.sub(r"\1", text)


def subtitle_paragraphs(text: str) -> list[str]:
    """Of SubRip and WebVTT: what is said, without times, names and styles; long gaps part paragraphs.

    Empty where there is no subtitle.
    """
    paragraphs: list[list[str]] = []
    last_end = None
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.strip("\n").split("\n")
        found = next(((at, times) for at, line in enumerate(lines) if (times := _CUE_TIMES.match(line))), None)
        if found is None:
            continue
        at, times = found
        begin, end = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
        said = unescape(_TAG.sub("", " ".join(lines[at + 1 :]))).strip()
        if last_end is None or begin - last_end >= PAUSE_SECONDS:
            paragraphs.append([])
        paragraphs[-1].append(said)
        last_end = end
    return [" ".join(said) for said in paragraphs]


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{fraction}")


PARAGRAPHS_OF: dict[str, Callable[[str], list[str]]] = {
    ".txt": plain_paragraphs,
    ".md": markdown_paragraphs,
    ".srt": subtitle_paragraphs,
    ".vtt": subtitle_paragraphs,
}
"""Ending -> what makes paragraphs of such a file."""
