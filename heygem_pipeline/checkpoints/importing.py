"""Weights that a person fetched are checked, copied to their place whole, and noted."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from heygem_pipeline.checkpoints.catalogue import Checkpoint, Owner, Part, checkpoint_called, checkpoints
from heygem_pipeline.checkpoints.import_record import Receipt, receipt_path, write_receipt
from heygem_pipeline.errors import CheckpointUnusable, UploadMissing
from heygem_pipeline.storage.atomic import atomic_path, require_space
from heygem_pipeline.storage.fingerprint import sha256_of

Check = Callable[[Owner, Part, Path], None]
"""Raises CheckpointUnusable unless the file holds what the owner's part needs."""

BLOCK = 1 << 20


@dataclass(frozen=True)
class BroughtIn:
    """replaced: whether a file of this name was there, with other content."""

    owner: Owner
    checkpoint: Checkpoint
    path: Path
    receipt: Receipt
    replaced: bool


def bring_in(source: Path, folder: Path, check: Check, name: str | None = None) -> BroughtIn:
    """Put a file of weights where its engine or tracker looks for it.

    folder: of the weights. name: which of the catalogue's files it is; default, what it is called.

    Raises UploadMissing, CheckpointUnusable, ModelMissing where the engine's packages are not installed, DiskFull.
    Whatever fails, what was there stays.
    """
    if not source.is_file():
        raise UploadMissing("file.missing", file=str(source))
    known = checkpoint_called(name or source.name)
    if known is None:
        names = ", ".join(one.file for _, _, one in checkpoints())
        raise CheckpointUnusable("weights.unknown_name", name=name or source.name, known=names)
    owner, part, checkpoint = known
    check(owner, part, source)
    destination = folder / checkpoint.file
    if destination.exists() and destination.samefile(source):
        return BroughtIn(owner, checkpoint, destination, write_receipt(destination, sha256_of(destination)), False)
    replaced = destination.exists()
    require_space(destination, source.stat().st_size)
    digest = hashlib.sha256()
    with atomic_path(destination) as temporary:
        with source.open("rb") as read, temporary.open("wb") as write:
            while block := read.read(BLOCK):
                digest.update(block)
                write.write(block)
        # Its note goes first: should all end here, the new file has none, and not another one's.
        receipt_path(destination).unlink(missing_ok=True)
    return BroughtIn(owner, checkpoint, destination, write_receipt(destination, digest.hexdigest()), replaced)
