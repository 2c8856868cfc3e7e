"""The ZIP of a voice's finished clips, with a manifest."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from heygem_pipeline.storage.atomic import atomic_path, require_space


def write_archive(destination: Path, clips: Sequence[tuple[str, Path]], manifest: Sequence[dict[str, Any]]) -> None:
    """Write a ZIP of ``clips`` (name inside, file) with manifest.json and manifest.csv, one entry a clip.

    The files are stored as they are (video does not compress) and streamed; the ZIP appears whole or not at all; names
    may be any Unicode. Raises DiskFull.
    """
    require_space(destination, sum(path.stat().st_size for _, path in clips) + 2**20)
    with atomic_path(destination) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, path in clips:
            archive.write(path, name)
        archive.writestr("manifest.json", json.dumps(list(manifest), ensure_ascii=False, indent=1))
        archive.writestr("manifest.csv", _as_csv(manifest))


def _as_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    # The mark tells spreadsheet programs that this is UTF-8.
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
