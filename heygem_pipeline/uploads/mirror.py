"""What people bring to the controller of a cluster with a bucket, for all machines; its folders stay what counts."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.bucket_files import BucketFiles
from heygem_pipeline.storage.file_store import LocalFiles, StoredFile
from heygem_pipeline.storage.path_checks import leads_out
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.registry import SUFFIXES, UNFINISHED_PREFIXES, UploadKind, Uploads

_warned_names: set[str] = set()
"""Names that are no text, of which this process has spoken."""


def mirror(folders: DataFolders, ready: Callable[[Path], bool]) -> None:
    """Publish what is new or has changed of voices, presenters, scripts and campaigns, and remove what is gone.

    What a controller on another machine had published is brought here. Raises BucketUnreachable.

    Args:
        ready: which uploads may be read; what stands beside them is small, and read at once.
    """
    if not isinstance(folders.files, BucketFiles):
        return
    uploads = Uploads(folders)
    for kind in UploadKind:
        if uploads.away(kind) is None:
            _mirror(
                folders, folders.files, uploads.folder(kind), lambda path, kind=kind: _may_be_read(path, kind, ready)
            )
    if folders.campaigns.is_dir():
        _mirror(folders, folders.files, folders.campaigns, lambda _: True)


def bring_instructions(folders: DataFolders) -> None:
    """See that a run finds here what people wrote about uploads and clips: all they brought but sound and pictures.

    The planner reads it, and with it how each clip of a ZIP was to be made.
    """
    for kind in UploadKind:
        heavy = () if kind is UploadKind.SCRIPT else SUFFIXES[kind]
        folders.files.refresh(
            Uploads(folders).folder(kind), lambda name, heavy=heavy: Path(name).suffix.lower() not in heavy
        )
    folders.files.refresh(folders.campaigns, lambda _: True)


def is_published(folders: DataFolders, path: Path) -> bool:
    """Do all machines see an upload as it lies here?"""
    if not isinstance(folders.files, BucketFiles):
        return True
    here = _regular(path)
    return here is not None and _is_text(path.name) and folders.files.find(path) == here


def _mirror(folders: DataFolders, files: BucketFiles, folder: Path, ready: Callable[[Path], bool]) -> None:
    here = {one.path: one for one in _files_in(folder, folders.root)}
    noted = {path: copy for path, copy in files.originals().items() if path.parent == folder}
    there = {one.path: one for one in files.below(folder)}
    for path, one in here.items():
        copy = noted.get(path)
        known = copy is not None and (copy.size, copy.modified) == (one.size, one.modified)
        if known and path in there:
            continue
        if copy is None and there.get(path) == one:
            files.adopt(one)
        elif ready(path):
            files.publish(path, original=True)
    files.remove_all(noted.keys() - here.keys())
    for path in there.keys() - here.keys() - noted.keys():
        files.adopt(there[path])


def _may_be_read(path: Path, kind: UploadKind, ready: Callable[[Path], bool]) -> bool:
    return path.suffix.lower() not in SUFFIXES[kind] or ready(path)


def _files_in(folder: Path, root: Path) -> list[StoredFile]:
    with os.scandir(folder) as entries:
        paths = sorted(Path(entry.path) for entry in entries if not entry.name.startswith(UNFINISHED_PREFIXES))
    found = (_regular(path) for path in paths if _is_text(path.name) and not leads_out(path, root))
    return [one for one in found if one is not None]


def _is_text(name: str) -> bool:
    """Can an object be called so?"""
    try:
        name.encode()
    except UnicodeEncodeError:
        if name not in _warned_names:
            _warned_names.add(name)
            logging.getLogger(__name__).warning("%s", Message("upload.name_no_text", file=name))
        return False
    return True


def _regular(path: Path) -> StoredFile | None:
    try:
        return LocalFiles().find(path)
    except OSError:
        return None
