"""What the controller of a cluster tells its workers: its version, and which data folder is the cluster's."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex
from typing import Any

from heygem_pipeline.errors import ClusterUnusable
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
    """To be called by the controller when it starts. Raises ClusterUnusable where the bucket is another cluster's."""
    identity = identity_of(folders)
    if not identity:
        identity, file = token_hex(16), folders.cluster_identity
        with atomic_path(file) as temporary:
            temporary.write_text(identity, encoding="ascii")
        try:
            folders.files.publish_first(file)
        except FileExistsError as error:
            # Each would take the other's objects for ones that nobody knows any more, and remove them.
            file.unlink()
            raise ClusterUnusable(
                "cluster.bucket_taken", bucket=folders.bucket, object=folders.files.address(file)
            ) from error
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
        return folders.files.fetch(folders.cluster_identity).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def pipeline_version() -> str:
    """Of the package and of its code: checkouts that differ are of one version, as the package says it."""
    package = Path(__file__).resolve().parents[1]
    digest = sha256(version("dagster").encode())
    for file in sorted(package.rglob("*.py"), key=lambda file: file.relative_to(package).as_posix()):
        digest.update(file.relative_to(package).as_posix().encode())
        digest.update(file.read_bytes())
    return f"{version(DISTRIBUTION)}+{digest.hexdigest()[:DIGITS]}"
