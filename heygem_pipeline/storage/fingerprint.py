"""The fingerprint of an upload, which tells that a file was replaced under the same name; and digests of texts."""

import hashlib
from functools import lru_cache
from pathlib import Path

from heygem_pipeline.errors import UploadMissing, UploadReplaced

FILES_REMEMBERED = 16


def file_state(path: Path) -> str:
    """Return what the file system says of a file: bytes and times. While it is the same, so is the content.

    Raises UploadMissing.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _missing(path) from error
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the file's content, 64 hexadecimal digits. Raises UploadMissing."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise _missing(path) from error


def _missing(path: Path) -> UploadMissing:
    return UploadMissing("file.unreadable", file=path.name)


def text_digest(text: str, digits: int) -> str:
    """The first hexadecimal digits of a text's SHA-256, also where it is no Unicode (a name in another encoding)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_unchanged(path: Path, expected_fingerprint: str, expected_state: str) -> None:
    """Raise UploadReplaced or UploadMissing unless the file's content still has this fingerprint.

    Args:
        expected_state: of the file when it was analysed, as ``file_state`` says it; only where it is another, or not
            known, the content is read.
    """
    state = file_state(path)
    if state != expected_state and _fingerprint(path, state) != expected_fingerprint:
        raise UploadReplaced("upload.replaced", file=path.name)


@lru_cache(FILES_REMEMBERED)
def _fingerprint(path: Path, state: str) -> str:
    """Of the file in this state."""
    return fingerprint(path)
