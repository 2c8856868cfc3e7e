"""The fingerprint of an upload: what tells that a file was replaced under the same name."""

import hashlib
from pathlib import Path

from heygem_pipeline.errors import UploadMissing


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the file's content, 64 hexadecimal digits. Raises UploadMissing."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise UploadMissing(f"There is no file {path.name} that could be read; check its name and place.") from error
