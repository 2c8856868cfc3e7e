"""The fingerprint of an upload: what tells that a file was replaced under the same name."""

from pathlib import Path

from heygem_pipeline.errors import UploadMissing
from heygem_pipeline.storage.content import sha256_of


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the file's content, 64 hexadecimal digits. Raises UploadMissing."""
    try:
        return sha256_of(path)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise UploadMissing(f"There is no file {path.name} that could be read; check its name and place.") from error
