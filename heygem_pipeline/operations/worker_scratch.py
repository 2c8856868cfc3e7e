"""What a worker of a cluster with a bucket has at hand: nothing stays of what is kept nowhere else any more."""

import os
from collections.abc import Container, Iterator
from contextlib import suppress
from pathlib import Path
from time import time

from heygem_pipeline.runs.cluster_workers import Workers
from heygem_pipeline.storage.atomic import writer_of
from heygem_pipeline.storage.bucket_files import BucketFiles
from heygem_pipeline.storage.paths import DataFolders

SECONDS_UNTIL_LOST = 13 * 3600.0
"""Longer than any run may take (``max_runtime_seconds`` of dagster.yaml)."""


def drop_what_is_gone(folders: DataFolders) -> None:
    """Delete copies of objects that are gone, what engines kept of presenters that are, and what killed runs wrote."""
    files = folders.files
    if not isinstance(files, BucketFiles):
        return
    files.drop_what_is_gone()
    presenters = {Path(name).stem for name in files.names(folders.tracks("any").parent)}
    known = files.known_here()
    encodings = folders.face_encodings("any").parent
    for path in _files_below(encodings):
        if path.stem not in presenters:
            path.unlink(missing_ok=True)
    held = Workers(folders.database).held()
    # Of the machine alone, which may be the controller too.
    others = {encodings, folders.voice_sample("any").parent, folders.first_look("any", "any").parents[1]}
    for path in _files_below(folders.root / "store", folders.outputs):
        if others.isdisjoint(path.parents) and path not in known and (_is_old(path) or _is_left(path, held)):
            path.unlink(missing_ok=True)


def _files_below(*roots: Path) -> Iterator[Path]:
    for root in roots:
        for parent, _, names in os.walk(root):
            yield from (Path(parent, name) for name in names)


def _is_left(path: Path, held: Container[str]) -> bool:
    """Was a run writing it that no worker is at any more?"""
    writer = writer_of(path)
    return bool(writer) and writer not in held


def _is_old(path: Path) -> bool:
    with suppress(FileNotFoundError):
        return time() - path.stat().st_mtime > SECONDS_UNTIL_LOST
    return False
