"""Parquet files: their rows, and what they were written with beside them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

INNER = "."
"""Beginning of the keys that belong to a file's own format."""
_ARROW = "ARROW:schema"


def read_table(path: Path) -> pa.Table:
    """Return all rows of a Parquet file."""
    # Not pq.read_table, which first loads all that reads datasets.
    with pq.ParquetFile(path) as file:
        return file.read()


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a Parquet file without reading its rows; keys of its own format are left out."""
    stored = pq.read_metadata(path).metadata or {}
    texts = {key.decode(): value.decode() for key, value in stored.items()}
    return {key: value for key, value in texts.items() if key != _ARROW and not key.startswith(INNER)}
