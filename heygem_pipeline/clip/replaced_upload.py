"""An upload must stay the file that was analysed until the clip is made."""

from functools import lru_cache
from pathlib import Path

from heygem_pipeline.errors import UploadReplaced
from heygem_pipeline.storage.fingerprint import file_state, fingerprint

FILES_REMEMBERED = 16


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
