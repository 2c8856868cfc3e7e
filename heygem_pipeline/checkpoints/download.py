"""Weights that may be downloaded without asking are downloaded when they are first needed."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path

from heygem_pipeline.checkpoints.catalogue import Checkpoint
from heygem_pipeline.checkpoints.import_record import write_receipt
from heygem_pipeline.errors import ModelMissing
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.fingerprint import sha256_of

PATIENCE = 20.0
"""Seconds without an answer after which a server counts as out of reach."""


def download(checkpoint: Checkpoint, destination: Path) -> Path:
    """Fetch the file whole, with a bar on stderr, if its SHA-256 begins as its name promises; return where it lies.

    Raises ModelMissing where that does not succeed, DiskFull.
    """
    try:
        from torch.hub import download_url_to_file
    except ImportError as error:
        raise ModelMissing("face_alignment.no_torch") from error
    with atomic_path(destination) as temporary, _patience():
        try:
            download_url_to_file(checkpoint.url, str(temporary), checkpoint.promised_digits)
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
                raise
            raise ModelMissing(
                "weights.not_downloaded",
                file=checkpoint.file,
                reason=str(error),
                source=checkpoint.url,
                folder=str(destination.parent),
            ) from error
    write_receipt(destination, sha256_of(destination))
    return destination


@contextmanager
def _patience() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
