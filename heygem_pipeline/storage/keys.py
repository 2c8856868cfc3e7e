"""A partition key for any file name: readable, safe for Dagster and as a file name, never empty."""

import unicodedata

from heygem_pipeline.storage.fingerprint import text_digest

LONGEST_KEY_BYTES = 120
"""Leaves room for suffixes within the 255 bytes a file name may have on Linux."""

UNSAFE = set("|,\"'\\/`[]{}<>:;*?$!#%^~")
"""Dagster splits keys at "|", its page at ","; brackets are ranges there; the rest belong to shells and paths."""

DIGITS = 8
"""Hexadecimal ones of a digest; enough to tell names apart."""

TAKEN_ENDINGS = (".zip", ".png", ".mp4")
"""Endings of other files beside the folder of a key's clips."""


def partition_key(stem: str) -> str:
    """Return the key for a file's name without its suffix.

    Letters, digits, marks and symbols of any script stay as they are (NFC); what Dagster, a path or a shell would read
    as syntax becomes "_"; names too long are cut and made unique by eight hexadecimal digits of their SHA-256.
    """
    composed = unicodedata.normalize("NFC", stem)
    kept = "".join("_" if _is_unsafe(character) else character for character in composed)
    key = " ".join(kept.split()).replace("..", "__").strip(". ")
    if len(key.encode()) > LONGEST_KEY_BYTES:
        digest = text_digest(composed, DIGITS)
        key = key.encode()[: LONGEST_KEY_BYTES - DIGITS - 1].decode(errors="ignore").rstrip() + "-" + digest
    if key.lower().endswith(TAKEN_ENDINGS):
        key = key.replace(".", "_")
    return key if key.strip("_") else f"file-{text_digest(composed, DIGITS)}"


def _is_unsafe(character: str) -> bool:
    if character in UNSAFE:
        return True
    # Control, surrogate and private characters; the joiner that holds emoji families together may stay.
    return unicodedata.category(character).startswith("C") and character != "\u200d"
