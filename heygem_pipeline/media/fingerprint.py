"""The fingerprint of an upload: what tells that a file was replaced under the same name."""

import hashlib
from pathlib import Path


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the file's content, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
