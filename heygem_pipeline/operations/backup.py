"""The data folder in one file, taken while everything runs, and back again."""

import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator, Set
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from heygem_pipeline.errors import AlreadyRunning, BackupUnusable, OutputRefused
from heygem_pipeline.operations.postgres_copy import dump_database, load_database, require_empty_database
from heygem_pipeline.runs.data_folder_lock import only_runner
from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX, atomic_path, disk_full, require_space, require_writable
from heygem_pipeline.storage.bucket_files import BucketFiles
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.path_checks import leads_out
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.scratch import SCRATCH

SQLITE_HEADER = b"SQLite format 3\0"
"""First bytes of every SQLite 3 database (sqlite.org/fileformat.html, section 1.3)."""

SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; its contents are in the copy that SQLite makes."""

END_MARK = "heygem-backup.json"
"""Last member of a backup. Without it, a tar file that was cut off between two files would look whole."""

DATABASE = "state/postgres.dump"
"""Member of a cluster's backup that holds what PostgreSQL held."""

LONGEST_MARK = 1000
"""Bytes."""


@dataclass(frozen=True)
class Copied:
    """What a backup holds: number of files, size in bytes."""

    files: int
    bytes: int


def back_up(folders: DataFolders, destination: Path) -> Copied:
    """Write everything that cannot be made again into one tar file; runs may go on meanwhile.

    Left out are logs/, the mouth patches between two stages (by far the largest, and made again), half-written files
    and locks. Databases are copied by SQLite itself, each as it is at one moment. A run that is under way is in the
    backup as running; recovery fails it when the restored folder is served.

    Where PostgreSQL holds the records of a cluster, they are in it too, as they were before the files were copied.

    Raises OutputRefused inside the data folder, DiskFull, and BackupFailed of PostgreSQL.
    """
    if destination.resolve().is_relative_to(folders.root.resolve()):
        raise OutputRefused("backup.within_data_folder", file=destination.name)
    require_writable(destination)
    files = 0
    with (
        atomic_path(destination) as temporary,
        TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=destination.parent) as aside,
        tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT, dereference=True) as archive,
    ):
        snapshot = Path(aside) / "database"
        if folders.database:
            dump_database(folders.database, snapshot)
            archive.add(snapshot, DATABASE, filter=_without_owner)
            files += 1
        for path in _worth_keeping(folders):
            name = path.relative_to(folders.root).as_posix()
            try:
                here = path if path.is_relative_to(folders.state) else folders.files.fetch(path)
                source = _copy_of_database(here, snapshot) if _is_database(here) else here
                archive.add(source, name, filter=_without_owner)
            except FileNotFoundError:
                continue  # deleted meanwhile
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname == "SQLITE_FULL":
                    raise disk_full(destination) from error
                raise
            files += 1
        _add_end_mark(archive, files)
        size = archive.offset
    return Copied(files, size)


def restore(folders: DataFolders, backup: Path) -> Copied:
    """Put a backup into the data folder, which must hold nothing yet. What is refused, or fails, leaves nothing.

    Raises BackupUnusable, OutputRefused where there is something, AlreadyRunning, DiskFull, and
    BackupFailed of PostgreSQL.
    """
    try:
        with tarfile.open(backup) as archive:
            members = _members(archive)
            of_cluster = any(member.name == DATABASE for member in members)
            if of_cluster != bool(folders.database):
                raise BackupUnusable("backup.of_cluster" if of_cluster else "backup.of_machine", file=backup.name)
            if folders.root.is_dir() and any(_worth_keeping(folders)):
                raise OutputRefused("backup.folder_not_empty", folder=folders.root.name)
            if folders.database:
                require_empty_database(folders.database)
            require_space(folders.root, sum(member.size for member in members))
            with _nothing_left(folders.root), only_runner(folders):
                for member in members:
                    _put_back(archive, member, folders.root)
                if folders.database:
                    dump = folders.root / DATABASE
                    load_database(folders.database, dump)
                    dump.unlink()
                if isinstance(folders.files, BucketFiles):
                    folders.files.fill(folders.root / member.name for member in members if member.name != DATABASE)
            return Copied(len(members), archive.offset)
    except (tarfile.TarError, EOFError, FileNotFoundError, IsADirectoryError, ValueError, RecursionError) as error:
        raise BackupUnusable("backup.not_whole", file=backup.name) from error


@contextmanager
def _nothing_left(root: Path) -> Iterator[None]:
    """Where the block fails, remove what it put below ``root``, and the folders made for it."""
    made = [folder for folder in (root, *root.absolute().parents) if not folder.exists()]
    before = set(_everything_below(root))
    try:
        yield
    except AlreadyRunning:
        raise  # what is there is another's
    except BaseException:
        for path in _everything_below(root):
            if path not in before:
                with suppress(OSError):
                    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def _everything_below(folder: Path) -> Iterator[Path]:
    """The contents of folders before the folders."""
    for parent, folders, names in os.walk(folder, topdown=False, followlinks=True):
        yield from (Path(parent, name) for name in (*names, *folders))


def _worth_keeping(folders: DataFolders) -> Iterator[Path]:
    """The files of the data folder that a backup holds, also where one of its folders lies elsewhere.

    Databases come first: a clip finished meanwhile is then a file they do not know, not one they miss.
    """
    scratch = {folders.state / SCRATCH}
    found = chain((path for path in _files(folders.state, scratch) if path != folders.ballast), _others(folders))
    yield from (path for path in found if not leads_out(path, folders.root))


def _others(folders: DataFolders) -> Iterator[Path]:
    left_out = {folders.state, folders.log_file.parent, folders.patches(ClipKey("any", "any")).parents[1]}
    left_out.add(folders.face_encodings("any").parent)
    if folders.bucket:
        every = (one.path for one in folders.files.below(folders.root))
        yield from (path for path in every if left_out.isdisjoint(path.parents))
        return
    for folder in sorted(folders.root.iterdir()):
        if folder.is_dir():
            yield from _files(folder, left_out)


def _files(folder: Path, left_out: Set[Path] = frozenset()) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, followlinks=True):
        if Path(parent) in left_out:
            folders.clear()
            continue
        for name in sorted(names):
            if not name.startswith(TEMPORARY_PREFIX) and not name.endswith((".lock", *SQLITE_COMPANIONS)):
                yield Path(parent, name)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE_HEADER)) == SQLITE_HEADER


def _copy_of_database(path: Path, copy: Path) -> Path:
    copy.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=60)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _add_end_mark(archive: tarfile.TarFile, files: int) -> None:
    content = json.dumps({"files": files}).encode()
    member = tarfile.TarInfo(END_MARK)
    member.size = len(content)
    archive.addfile(member, BytesIO(content))


def _members(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """Every member but the end mark; nothing is written before it is found. Raises TarError."""
    *members, last = archive.getmembers() or [tarfile.TarInfo()]
    mark = archive.extractfile(last) if last.name == END_MARK and last.isreg() else None
    if mark is None or json.loads(mark.read(LONGEST_MARK)) != {"files": len(members)}:
        raise tarfile.TarError("no end mark")
    for member in members:
        place = PurePosixPath(member.name)
        if not member.isreg() or place.is_absolute() or ".." in place.parts:
            raise tarfile.TarError(f"unexpected member {member.name!r}")
    return members


def _put_back(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    content = archive.extractfile(member)
    if content is None:
        raise tarfile.TarError(f"no content of {member.name!r}")
    with atomic_path(root / PurePosixPath(member.name)) as temporary:
        with content, temporary.open("wb") as file:
            shutil.copyfileobj(content, file)
        os.utime(temporary, (member.mtime, member.mtime))
