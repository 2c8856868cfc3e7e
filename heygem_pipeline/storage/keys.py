"""A partition key for any file name: readable, safe for Dagster and as a file name, never empty."""

import hashlib
import unicodedata

LONGEST_KEY_BYTES = 120
"""Leaves room for suffixes within the 255 bytes a file name may have on Linux."""

UNSAFE = set("|,\"'\\/`[]{}<>:;*?$!#%^~")
"""Dagster splits keys at "|", its page at ","; brackets are ranges there; the rest belong to shells and paths."""


def partition_key(stem: str) -> str:
    """Return the key for a file's name without its suffix.

    Letters, digits, marks and symbols of any script stay as they are (NFC); what Dagster, a path or a shell would read
    as syntax becomes "_"; names too long are cut and made unique by eight hexadecimal digits of their SHA-256.
    """
    composed = unicodedata.normalize("NFC", stem)
    kept = "".join("_" if _is_unsafe(character) else character for character in composed)
    key = " ".join(kept.split()).replace("..", "__").strip(". ")
    if len(key.encode()) > LONGEST_KEY_BYTES:
        digest = hashlib.sha256(composed.encode()).hexdigest()[:8]
        key = key.encode()[: LONGEST_KEY_BYTES - 9].decode(errors="ignore").rstrip() + "-" + digest
    return (
        key if key.strip("_") else f"file-{hashlib.sha256(composed.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    )


def _is_unsafe(character: str) -> bool:
    if character in UNSAFE:
        return True
    # Control, surrogate and private characters; the joiner that holds emoji families together may stay.
    return unicodedata.category(character).startswith("C") and character != "\u200d"
