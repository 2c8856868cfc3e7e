"""Whether the files of weights that are there are still what came, and hold what they should."""

from dataclasses import dataclass
from pathlib import Path

from heygem_pipeline.checkpoints.catalogue import CATALOGUE, Checkpoint, Owner
from heygem_pipeline.checkpoints.importing import Check
from heygem_pipeline.checkpoints.receipt import read_receipt
from heygem_pipeline.errors import CheckpointUnusable, NotReady
from heygem_pipeline.storage.content import sha256_of


@dataclass(frozen=True)
class Verified:
    """well: nothing speaks against using the file. sentence: what was found."""

    owner: Owner
    checkpoint: Checkpoint
    sha256: str
    well: bool
    sentence: str


def verify(folder: Path, check: Check) -> list[Verified]:
    """Look at every file of the catalogue that is in the folder."""
    found = []
    for owner in CATALOGUE:
        for part in owner.parts:
            for checkpoint in part.files:
                path = folder / checkpoint.file
                if path.is_file():
                    sha256 = sha256_of(path)
                    well, sentence = _compare(path, checkpoint, sha256)
                    try:
                        check(owner, part, path)
                    except CheckpointUnusable as error:
                        well, sentence = False, str(error)
                    except NotReady as error:
                        sentence = f"{sentence} What it holds was not looked at: {error}"
                    found.append(Verified(owner, checkpoint, sha256, well, sentence))
    return found


def _compare(path: Path, checkpoint: Checkpoint, sha256: str) -> tuple[bool, str]:
    receipt = read_receipt(path)
    if receipt is not None and receipt.sha256 != sha256:
        return False, f"It has changed since it came ({receipt.came_at}): import it again."
    if not sha256.startswith(checkpoint.promised_digits):
        return True, "These are other weights than the published ones: their SHA-256 would begin as the name says."
    if receipt is None:
        return True, "It was put there by hand; import notes its SHA-256, so that a change is seen."
    return True, f"As it came ({receipt.came_at})."
