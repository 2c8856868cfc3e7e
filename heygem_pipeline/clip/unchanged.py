"""An upload must stay the file that was analysed until the clip is made."""

from pathlib import Path

from heygem_pipeline.errors import UploadMissing, UploadReplaced
from heygem_pipeline.media.fingerprint import fingerprint


def require_unchanged(path: Path, expected_fingerprint: str) -> None:
    """Raise UploadReplaced or UploadMissing unless the file's content still has this fingerprint."""
    if not path.exists():
        raise UploadMissing(f"{path.name} is no longer there; put it back and make the clip again.")
    if fingerprint(path) != expected_fingerprint:
        raise UploadReplaced(
            f"{path.name} was replaced after it was analysed; materialize its features and tracks, then the clip again."
        )
