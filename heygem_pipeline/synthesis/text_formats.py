"""The kinds of file that a script may be: plain text, Markdown, and subtitles. Each becomes paragraphs."""

import re
from collections.abc import Callable
from html import unescape

from heygem_pipeline.media.subtitles import read_cues

PAUSE_SECONDS = 1.0
"""A gap of so much between two subtitles begins a new paragraph."""

_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
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
    for cue in read_cues(text):
        if last_end is None or cue.begin - last_end >= PAUSE_SECONDS:
            paragraphs.append([])
        paragraphs[-1].append(cue.text.replace("\n", " "))
        last_end = cue.end
    return [" ".join(said) for said in paragraphs]


PARAGRAPHS_OF: dict[str, Callable[[str], list[str]]] = {
    ".txt": plain_paragraphs,
    ".md": markdown_paragraphs,
    ".srt": subtitle_paragraphs,
    ".vtt": subtitle_paragraphs,
}
"""Ending -> what makes paragraphs of such a file."""
