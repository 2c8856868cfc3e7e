"""What is known of a file of weights since it came: JSON beside it, so that a later change is seen."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.fingerprint import sha256_of


@dataclass(frozen=True)
class Receipt:
    """sha256: 64 hexadecimal digits of the whole file. came_at: ISO 8601, UTC."""

    file: str
    bytes: int
    sha256: str
    came_at: str


def receipt_path(weights: Path) -> Path:
    """Where the receipt of a file lies."""
    return weights.with_name(f"{weights.name}.json")


def write_receipt(weights: Path, sha256: str) -> Receipt:
    """Note a file that has just come."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    receipt = Receipt(weights.name, weights.stat().st_size, sha256, now)
    with atomic_path(receipt_path(weights)) as temporary:
        temporary.write_text(json.dumps(asdict(receipt), indent=1), encoding="utf-8")
    return receipt


def read_receipt(weights: Path) -> Receipt | None:
    """Return what was noted of a file; None for one that was put there by hand, or whose note is no such note."""
    try:
        return Receipt(**json.loads(receipt_path(weights).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def weights_identity(weights: Path) -> str:
    """A file's name and eight digits of its SHA-256, for the versions of engines."""
    status = weights.stat()
    receipt = read_receipt(weights)
    # A receipt spares reading the file at every look of the planner; one older than the file is of another file.
    known = receipt is not None and receipt_path(weights).stat().st_mtime_ns >= status.st_mtime_ns
    digits = receipt.sha256[:8] if receipt and known else _digits(weights, status.st_size, status.st_mtime_ns)
    return f"{weights.name} {digits}"


@cache
def _digits(weights: Path, size: int, modified: int) -> str:
    """Eight digits of the file's SHA-256; size and time of change make the cache look again at a replaced file."""
    return sha256_of(weights)[:8]
