"""Whether the files of weights that are there are still what came, and hold what they should."""

from dataclasses import dataclass
from pathlib import Path

from heygem_pipeline.checkpoints.catalogue import Checkpoint, Owner, checkpoints
from heygem_pipeline.checkpoints.import_record import read_receipt
from heygem_pipeline.checkpoints.importing import Check
from heygem_pipeline.errors import CheckpointUnusable, NotReady
from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.fingerprint import sha256_of


@dataclass(frozen=True)
class Verified:
    """well: nothing speaks against using the file. message: what was found."""

    owner: Owner
    checkpoint: Checkpoint
    sha256: str
    well: bool
    message: Message


def verify(folder: Path, check: Check) -> list[Verified]:
    """Look at every file of the catalogue that is in the folder."""
    found = []
    for owner, part, checkpoint in checkpoints():
        path = folder / checkpoint.file
        if not path.is_file():
            continue
        sha256 = sha256_of(path)
        well, message = _compare(path, checkpoint, sha256)
        try:
            check(owner, part, path)
        except CheckpointUnusable as error:
            well, message = False, error.message
        except NotReady as error:
            message = Message("weights.not_looked_into", found=message, reason=error.message)
        found.append(Verified(owner, checkpoint, sha256, well, message))
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
