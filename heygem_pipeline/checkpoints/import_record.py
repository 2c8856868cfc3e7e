"""What is known of a file of weights since it came: JSON beside it, so that a later change is seen."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from heygem_pipeline.storage.atomic import atomic_path


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
