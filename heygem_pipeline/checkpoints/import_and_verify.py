"""Weights that a person fetched: imported into their place whole, and verified to be still what came."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from heygem_pipeline.checkpoints.catalogue import Checkpoint, Owner, Part, checkpoint_called, checkpoints
from heygem_pipeline.checkpoints.import_record import Receipt, read_receipt, receipt_path, write_receipt
from heygem_pipeline.errors import CheckpointUnusable, NotReady, UploadMissing
from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.atomic import atomic_path, require_space
from heygem_pipeline.storage.fingerprint import sha256_of

Check = Callable[[Owner, Part, Path], None]
"""Raises CheckpointUnusable unless the file holds what the owner's part needs."""

BLOCK = 1 << 20


@dataclass(frozen=True)
class ImportedCheckpoint:
    """A file that was imported.

    Attributes:
        replaced: whether a file of this name was there.
    """

    owner: Owner
    checkpoint: Checkpoint
    path: Path
    receipt: Receipt
    replaced: bool


def import_checkpoint(source: Path, folder: Path, check: Check, name: str | None = None) -> ImportedCheckpoint:
    """Put a file of weights where its engine or tracker looks for it.

    Whatever fails, what was there stays.

    Args:
        source: the file as it was fetched.
        folder: of the weights.
        check: what the file must pass.
        name: which of the catalogue's files it is; default, what it is called.

    Raises:
        UploadMissing: The file is not there.
        CheckpointUnusable: It is none of the catalogue's, or holds something else.
        ModelMissing: The engine's packages are not installed.
        DiskFull: It does not fit.
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
        return ImportedCheckpoint(
            owner, checkpoint, destination, write_receipt(destination, sha256_of(destination)), False
        )
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
    return ImportedCheckpoint(owner, checkpoint, destination, write_receipt(destination, digest.hexdigest()), replaced)


@dataclass(frozen=True)
class VerifiedCheckpoint:
    """A file that was verified.

    Attributes:
        usable: nothing speaks against using it.
        message: what was found.
    """

    owner: Owner
    checkpoint: Checkpoint
    sha256: str
    usable: bool
    message: Message


def verify_checkpoints(folder: Path, check: Check) -> list[VerifiedCheckpoint]:
    """Look at every file of the catalogue that is in the folder."""
    found = []
    for owner, part, checkpoint in checkpoints():
        path = folder / checkpoint.file
        if not path.is_file():
            continue
        sha256 = sha256_of(path)
        usable, message = _compare(path, checkpoint, sha256)
        try:
            check(owner, part, path)
        except CheckpointUnusable as error:
            usable, message = False, error.message
        except NotReady as error:
            message = Message("weights.not_looked_into", found=message, reason=error.message)
        found.append(VerifiedCheckpoint(owner, checkpoint, sha256, usable, message))
    return found


def _compare(path: Path, checkpoint: Checkpoint, sha256: str) -> tuple[bool, Message]:
    receipt = read_receipt(path)
    if receipt is not None and receipt.sha256 != sha256:
        return False, Message("weights.changed", date=receipt.came_at)
    if not sha256.startswith(checkpoint.promised_digits):
        return True, Message("weights.unpublished")
    if receipt is None:
        return True, Message("weights.by_hand")
    return True, Message("weights.as_it_came", date=receipt.came_at)
