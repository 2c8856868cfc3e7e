"""What a Parquet file was written with, beside its rows."""

from pathlib import Path

import pyarrow.parquet as pq

INNER = "."
"""Beginning of the keys that belong to a file's own format."""
_ARROW = "ARROW:schema"


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a Parquet file without reading its rows; keys of its own format are left out."""
    stored = pq.read_metadata(path).metadata or {}
    texts = {key.decode(): value.decode() for key, value in stored.items()}
    return {key: value for key, value in texts.items() if key != _ARROW and not key.startswith(INNER)}
