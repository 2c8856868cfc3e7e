"""What the controller of a cluster tells its workers: its version, and which data folder is the cluster's."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex
from typing import Any

from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.paths import DataFolders

REGISTER = "controller"
DISTRIBUTION = "heygem-pipeline"
DIGITS = 8


@dataclass(frozen=True)
class Controller:
    """The one that was started last.

    Attributes:
        version: of the pipeline.
        folder: what the file ``state/cluster-id`` of its data folder holds.
    """

    version: str
    folder: str


def announce(folders: DataFolders) -> None:
    """To be called by the controller when it starts."""
    identity = identity_of(folders)
    if not identity:
        identity = token_hex(16)
        with atomic_path(_identity_file(folders)) as temporary:
            temporary.write_text(identity, encoding="ascii")
        folders.files.publish(_identity_file(folders))
    with folders.register(REGISTER).changing() as write:
        write(asdict(Controller(pipeline_version(), identity)))


def announced(folders: DataFolders) -> Controller | None:
    """None while no controller was ever started on this database."""
    return folders.register(REGISTER).read(_understood, None)


def _understood(stored: dict[str, Any]) -> Controller | None:
    return Controller(str(stored["version"]), str(stored["folder"]))


def identity_of(folders: DataFolders) -> str:
    """Of the data folder that is mounted here, or of the bucket; "" where it has none. Raises BucketUnreachable."""
    try:
        return folders.files.fetch(_identity_file(folders)).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _identity_file(folders: DataFolders) -> Path:
    return folders.state / "cluster-id"


def pipeline_version() -> str:
    """Of the package and of its code: checkouts that differ are of one version, as the package says it."""
    package = Path(__file__).resolve().parents[1]
    digest = sha256(version("dagster").encode())
    for file in sorted(package.rglob("*.py"), key=lambda file: file.relative_to(package).as_posix()):
        digest.update(file.relative_to(package).as_posix().encode())
        digest.update(file.read_bytes())
    return f"{version(DISTRIBUTION)}+{digest.hexdigest()[:DIGITS]}"
