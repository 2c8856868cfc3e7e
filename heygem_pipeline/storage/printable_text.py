"""What somebody wrote, said back to them."""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

from heygem_pipeline.messages.message import Message

LONGEST_QUOTE = 60
"""Characters; more of a wrong value helps nobody to find it."""


def shown(text: str) -> str:
    """The text as it may be printed: no control characters, no broken Unicode, not endless."""
    short = text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)


def is_whole(text: str) -> bool:
    """Does it hold neither control characters nor half characters (bytes of another encoding, in a file's name)?"""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def did_you_mean(word: str, known: Iterable[str]) -> Message | None:
    """The question that names what is spelt most like ``word``; None where nothing is."""
    near = get_close_matches(word, list(known), n=1)
    return Message("hint.did_you_mean", near=near[0]) if near else None
