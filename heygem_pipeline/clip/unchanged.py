"""An upload must stay the file that was analysed until the clip is made."""

from pathlib import Path

from heygem_pipeline.errors import UploadReplaced
from heygem_pipeline.media.fingerprint import fingerprint


def require_unchanged(path: Path, expected_fingerprint: str) -> None:
    """Raise UploadReplaced or UploadMissing unless the file's content still has this fingerprint."""
    if fingerprint(path) != expected_fingerprint:
        raise UploadReplaced(
            f"{path.name} was replaced after it was analysed; have it analysed again, then make the clip."
        )
