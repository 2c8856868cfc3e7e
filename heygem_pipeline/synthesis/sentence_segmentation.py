"""Text into sentences, in whatever script it is written, and sentences into pieces that an engine takes."""

import re
import unicodedata

LONGEST_PIECE = 400
"""Characters that an engine is given at once: some half a minute of speech. No sentence is cut that is shorter."""

_ENDS = "[.!?…。！？｡।॥؟۔։။។]+"
_CLOSERS = "[\"'”’»›)\\]}」』）】〉》]*"
_NEEDS_NO_SPACE = "。！？｡।॥။។"

_BOUNDARY = re.compile(f"(?P<end>{_ENDS}){_CLOSERS}(?P<space>\\s+|$)|[{_NEEDS_NO_SPACE}]+{_CLOSERS}")

_ABBREVIATED = re.compile(r"(?:^|[\s(\"'„“«.])(?:\w|Dr|Mr|Mrs|Ms|Prof|St|Nr|No|vs|bzw|ca|Hr|Fr|Sr|Sra|Mme|Fig|Abb)\Z")
"""What stands before a full stop that ends no sentence: a single letter, or one of these."""

_ORDINAL = re.compile(r"(?:^|\s)\d{1,2}\Z")
"""The day of a date, as German and others write it: ``am 3. Mai``."""

_PAUSES = re.compile("[,;:،؛、，；：–—]+\\s*")

_PICTURES = re.compile(
    "(?:[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\U0001f1e6-\U0001f1ff]"
    "[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*\u200d?)+|[\ufe0e\ufe0f\u20e3]"
)
"""Emoji and their modifiers; degree signs and currencies are no such pictures."""

_BEFORE_A_MARK = re.compile("\\s*\ufffc[\\s\ufffc]*(?=[.,!?;:…])")


def spoken_form(text: str) -> str:
    """What an engine is given of a text: without emoji, which it would leave out, spell or choke on."""
    without = _PICTURES.sub("\ufffc", text)
    return " ".join(_BEFORE_A_MARK.sub("", without).replace("\ufffc", " ").split())


def has_words(text: str) -> bool:
    """Is there a letter or a digit in it, of any script?"""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def word_count(text: str) -> int:
    """How many words there are; of scripts without spaces between them, two characters count as one."""
    joined = sum(map(_parts_no_words, text))
    parted = "".join(" " if _parts_no_words(character) else character for character in text)
    return sum(map(has_words, parted.split())) + (joined + 1) // 2


def sentences_of(paragraph: str) -> tuple[str, ...]:
    """The sentences of a paragraph that hold words, as they are written; none longer than an engine takes."""
    text = " ".join(paragraph.split())
    found, begin = [], 0
    for boundary in _BOUNDARY.finditer(text):
        if boundary["end"] == "." and boundary["space"] and _goes_on(text[: boundary.start()], text[boundary.end() :]):
            continue
        found.append(text[begin : boundary.end()])
        begin = boundary.end()
    found.append(text[begin:])
    pieces = (piece.strip() for sentence in found for piece in _pieces(sentence.strip()))
    return tuple(piece for piece in pieces if has_words(spoken_form(piece)))


def _goes_on(before: str, after: str) -> bool:
    return bool(after) and (after[0].islower() or bool(_ABBREVIATED.search(before) or _ORDINAL.search(before)))


def _pieces(sentence: str) -> list[str]:
    """A sentence in pieces that are not too long: parted where the voice pauses, else between words, else anywhere."""
    if len(sentence) <= LONGEST_PIECE:
        return [sentence]
    head = sentence[:LONGEST_PIECE]
    pauses = [pause.end() for pause in _PAUSES.finditer(head)]
    where = max((end for end in pauses if end >= LONGEST_PIECE // 4), default=head.rfind(" ") + 1) or LONGEST_PIECE
    return [sentence[:where], *_pieces(sentence[where:])]


def _parts_no_words(character: str) -> bool:
    return "\u0e00" <= character <= "\u0eff" or (
        character >= "\u3040" and unicodedata.category(character) == "Lo" and not "\uac00" <= character <= "\ud7a3"
    )
