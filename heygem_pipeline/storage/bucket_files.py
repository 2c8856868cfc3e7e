"""Files of a cluster in a bucket (S3, or what speaks like it): brought here to be read, published when written.

Objects are called as their paths in the data folder. Which there are stands in the cluster's database
(``object_catalogue.py``), which is asked for everything but contents.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from heygem_pipeline.errors import BucketUnreachable, ClusterUnusable
from heygem_pipeline.storage.atomic import WRITER, atomic_path
from heygem_pipeline.storage.file_store import PIECE, FolderListing, StoredFile
from heygem_pipeline.storage.object_catalogue import ObjectCatalogue, StoredObject
from heygem_pipeline.storage.scratch import LocalCopy, Scratch

ATTEMPTS = 4
ATTEMPTS_OF_RUNS = 40
"""A run waits for a bucket that is away: with the pauses between, of up to 20 s, about twelve minutes."""

SECONDS_TO_CONNECT, SECONDS_TO_ANSWER = 5, 60

LONGEST_REASON = 300
"""Characters."""

MOST_KEYS = 1000
"""That S3 deletes, or lists, in one request."""

OTHERS = "logs"
"""A folder of the bucket that is not of these files: what runs print is put there, and removed, by Dagster."""

NOT_THERE = ("404", "NoSuchKey", "NotFound")
TAKEN = ("412", "PreconditionFailed", "ConditionalRequestConflict")
NOT_KNOWN = ("501", "NotImplemented")
"""What a store answers that knows no condition for what is written, or does not list uploads in parts."""


@dataclass(frozen=True)
class BucketFiles:
    """As ``FileStore`` says.

    Attributes:
        root: the data folder of this machine.
        bucket: ``s3://bucket`` or ``s3://bucket/folder/in/it``.
        database: of the cluster.
        most_bytes: that copies of objects may take here.
    """

    root: Path
    bucket: str
    database: str = field(repr=False)
    most_bytes: int

    def find(self, path: Path) -> StoredFile | None:
        """As ``FileStore`` says."""
        found = self._catalogue.find(self._place(path))
        return self._stored(found) if found is not None else None

    def names(self, folder: Path) -> list[str]:
        """As ``FileStore`` says."""
        return [one.path.name for one in self._catalogue.of_folder(self._place(folder))]

    def listings(self, folder: Path, names: Collection[str]) -> Mapping[str, FolderListing]:
        """As ``FileStore`` says."""
        place = self._place(folder)
        if len(names) == 1:
            (name,) = names
            alone = self._catalogue.folder(place / name)
            return {name: FolderListing(*alone)} if alone is not None else {}
        wanted = {place / name: name for name in names}
        found = self._catalogue.folders_below(place)
        return {wanted[path]: FolderListing(held, mark) for path, held, mark in found if path in wanted}

    def folders(self, folder: Path) -> list[str]:
        """As ``FileStore`` says."""
        place = self._place(folder)
        parents = (path for path, _, _ in self._catalogue.folders_below(place))
        return sorted({path.parts[len(place.parts)] for path in parents})

    def below(self, folder: Path) -> list[StoredFile]:
        """As ``FileStore`` says."""
        return [self._stored(one) for one in self._catalogue.below(self._place(folder))]

    def fetch(self, path: Path) -> Path:
        """As ``FileStore`` says."""
        place = self._place(path)
        found = self._catalogue.find(place)
        if found is None:
            raise FileNotFoundError(str(place))
        return self._bring(found)

    def refresh(self, folder: Path, wanted: Callable[[str], bool]) -> None:
        """As ``FileStore`` says; what people have written here themselves is not touched."""
        place = self._place(folder)
        known = set()
        for one in self._catalogue.of_folder(place):
            if wanted(one.path.name):
                with suppress(FileNotFoundError):
                    self._bring(one)
                    known.add(str(one.path))
        for copy in self._scratch.copies():
            held = PurePosixPath(copy.path)
            if held.parent == place and wanted(held.name) and copy.path not in known:
                self._scratch.drop(copy.path)

    def publish(self, path: Path, original: bool = False) -> None:
        """As ``FileStore`` says.

        Args:
            original: the file here stays what counts, and is no copy that may be deleted.
        """
        place, status = self._place(path), path.stat()
        etag = self._put(path, place)
        self._catalogue.write(StoredObject(place, status.st_size, status.st_mtime_ns, etag))
        self._scratch.note(LocalCopy(str(place), etag, status.st_size, status.st_mtime_ns, original))
        if not original:
            self._scratch.use(str(place))

    def publish_first(self, path: Path) -> None:
        """As ``FileStore`` says."""
        place, status = self._place(path), path.stat()
        with self._catalogue.adding(place) as made:
            etag = self._if_absent(place, lambda only_if_absent: self._put(path, place, only_if_absent))
            made.append(StoredObject(place, status.st_size, status.st_mtime_ns, etag))

    def remove(self, path: Path) -> None:
        """As ``FileStore`` says."""
        self.remove_all([path])

    def remove_all(self, paths: Iterable[Path]) -> None:
        """Remove files, those of them that are there."""
        places = [self._place(path) for path in paths]
        for start in range(0, len(places), MOST_KEYS):
            some = places[start : start + MOST_KEYS]
            keys = [{"Key": self._key(place)} for place in some]
            with _bucket_errors():
                self._client.delete_objects(Bucket=self._name, Delete={"Objects": keys, "Quiet": True})
            self._catalogue.remove(some)
        for place in places:
            self._scratch.drop(str(place))

    def move(self, path: Path, to: Path) -> None:
        """As ``FileStore`` says."""
        place, target = self._place(path), self._place(to)
        found = self._catalogue.find(place)
        if found is None:
            raise FileNotFoundError(str(place))
        self._catalogue.write(StoredObject(target, found.size, found.modified, self._copy(place, target)))
        self.remove(path)

    def copy(self, path: Path, to: Path) -> None:
        """As ``FileStore`` says."""
        place, target = self._place(path), self._place(to)
        found = self._catalogue.find(place)
        if found is None:
            raise FileNotFoundError(str(place))
        with self._catalogue.adding(target) as made:
            etag = self._if_absent(target, lambda only_if_absent: self._copy(place, target, only_if_absent))
            made.append(StoredObject(target, found.size, found.modified, etag))

    def address(self, path: Path) -> str:
        """As ``FileStore`` says."""
        return f"s3://{self._name}/{self._key(self._place(path))}"

    def read(self, path: Path, begin: int, end: int) -> Iterator[bytes]:
        """As ``FileStore`` says."""
        place = self._place(path)
        if begin >= end:
            return
        with _bucket_errors(place):
            answer = self._client.get_object(Bucket=self._name, Key=self._key(place), Range=f"bytes={begin}-{end - 1}")
            yield from answer["Body"].iter_chunks(PIECE)

    def require_reachable(self) -> None:
        """Raise BucketUnreachable where this machine cannot read it, ClusterUnusable without the extra ``cluster``."""
        with _bucket_errors():
            self._client.list_objects_v2(Bucket=self._name, Prefix=self._prefix, MaxKeys=1)

    def known_here(self) -> set[Path]:
        """Where copies of objects lie on this machine."""
        return {self.root / copy.path for copy in self._scratch.copies()}

    def originals(self) -> dict[Path, LocalCopy]:
        """What people wrote here and was published as it is noted, by path."""
        return {self.root / copy.path: copy for copy in self._scratch.copies(originals=True)}

    def adopt(self, stored: StoredFile) -> None:
        """The file here is what the object was made of; bring it where there is none."""
        place = self._place(stored.path)
        found = self._catalogue.find(place)
        if found is None:
            return
        if not stored.path.exists():
            self._download(found)
        self._scratch.note(LocalCopy(str(place), found.etag, found.size, found.modified, original=True))

    def fill(self, paths: Iterable[Path]) -> None:
        """What lies here at these paths is all there is, whatever the database says of another bucket."""
        self._catalogue.clear()
        for path in paths:
            self.publish(path)

    def drop_what_is_gone(self) -> None:
        """Delete the copies here of objects that are no more."""
        for place in self._catalogue.missing([PurePosixPath(copy.path) for copy in self._scratch.copies()]):
            self._scratch.drop_unused(str(place))

    def unknown_objects(self, folders: Iterable[Path]) -> Iterator[tuple[str, int, float]]:
        """Key, bytes and POSIX time of what lies in the bucket and the database does not know: a run was killed.

        Args:
            folders: of the data folder, in which is looked; what else people keep in the bucket is theirs.
        """
        known = {self._key(one.path) for one in self._catalogue.below(PurePosixPath())}
        with _bucket_errors():
            for folder in folders:
                prefix = f"{self._key(self._place(folder))}/"
                for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix):
                    for found in page.get("Contents", ()):
                        if found["Key"] not in known:
                            yield found["Key"], found["Size"], found["LastModified"].timestamp()

    def delete_object(self, key: str) -> None:
        """Delete what the database does not know."""
        with _bucket_errors():
            self._client.delete_object(Bucket=self._name, Key=key)

    def end_uploads(self, before: float) -> int:
        """Give up uploads in parts that were begun before, by runs that were killed; return how many."""
        try:
            with _bucket_errors():
                found = self._client.list_multipart_uploads(Bucket=self._name, Prefix=self._prefix).get("Uploads", ())
                old = [one for one in found if one["Initiated"].timestamp() < before]
                for one in old:
                    self._client.abort_multipart_upload(Bucket=self._name, Key=one["Key"], UploadId=one["UploadId"])
        except BucketUnreachable as error:
            if _code(error.__cause__) not in NOT_KNOWN:
                raise
            return 0
        return len(old)

    def _bring(self, found: StoredObject) -> Path:
        path, name = self.root / found.path, str(found.path)
        noted = self._scratch.find(name)
        if noted is not None and noted.original:
            return path
        self._scratch.use(name)
        if noted is None or noted.etag != found.etag or not self._scratch.is_as_noted(noted):
            self._scratch.make_room(found.size, self.most_bytes)
            try:
                self._download(found)
            except FileNotFoundError:
                # Somebody deleted the object by other means: it is to be made, or brought, again.
                self._catalogue.remove([found.path])
                raise
            self._scratch.note(LocalCopy(name, found.etag, found.size, found.modified, original=False))
        return path

    def _download(self, found: StoredObject) -> None:
        with _bucket_errors(found.path), atomic_path(self.root / found.path) as temporary:
            self._client.download_file(self._name, self._key(found.path), str(temporary))
            os.utime(temporary, ns=(found.modified, found.modified))

    def _put(self, path: Path, place: PurePosixPath, only_if_absent: bool = False) -> str:
        # Of a path boto3 would hide which error the store named.
        with _bucket_errors(), path.open("rb") as file:
            self._writer(only_if_absent).upload_fileobj(file, self._name, self._key(place))
            return self._client.head_object(Bucket=self._name, Key=self._key(place))["ETag"]

    def _copy(self, place: PurePosixPath, to: PurePosixPath, only_if_absent: bool = False) -> str:
        from boto3.s3.transfer import TransferConfig

        # In parts, whatever the size: fewer stores look at a condition where a whole object is copied.
        how = TransferConfig(multipart_threshold=1) if only_if_absent else None
        with _bucket_errors(place):
            source = {"Bucket": self._name, "Key": self._key(place)}
            self._writer(only_if_absent).copy(source, self._name, self._key(to), Config=how)
            return self._client.head_object(Bucket=self._name, Key=self._key(to))["ETag"]

    def _if_absent(self, place: PurePosixPath, write: Callable[[bool], str]) -> str:
        """Write what must take no other's place. Raises FileExistsError where the bucket has something there."""
        try:
            return write(True)
        except BucketUnreachable as error:
            code = _code(error.__cause__)
            if code in TAKEN:
                raise FileExistsError(str(place)) from error
            if code not in NOT_KNOWN:
                raise
        # The row alone, which is ours, says then that nobody has it.
        return write(False)

    def _stored(self, one: StoredObject) -> StoredFile:
        return StoredFile(self.root / one.path, one.size, one.modified)

    def _place(self, path: Path) -> PurePosixPath:
        return PurePosixPath(path.relative_to(self.root).as_posix())

    def _key(self, place: PurePosixPath) -> str:
        return f"{self._prefix}{place}"

    @property
    def _name(self) -> str:
        return urlsplit(self.bucket).netloc

    @property
    def _prefix(self) -> str:
        inside = urlsplit(self.bucket).path.strip("/")
        return f"{inside}/" if inside else ""

    @property
    def _catalogue(self) -> ObjectCatalogue:
        return ObjectCatalogue(self.database)

    @property
    def _scratch(self) -> Scratch:
        return Scratch(self.root)

    @property
    def _client(self) -> Any:  # noqa: ANN401 - made by boto3 from a description of the service
        return self._writer(only_if_absent=False)

    def _writer(self, only_if_absent: bool) -> Any:  # noqa: ANN401
        attempts = ATTEMPTS_OF_RUNS if os.environ.get(WRITER) else ATTEMPTS
        return _client_of(os.getpid(), attempts, only_if_absent=only_if_absent)


@cache
def _client_of(_process: int, attempts: int, only_if_absent: bool = False) -> Any:  # noqa: ANN401
    """One that may write over what is there, or only where there is nothing."""
    import boto3
    from botocore.config import Config

    retries = {"total_max_attempts": attempts, "mode": "standard"}
    seconds = {"connect_timeout": SECONDS_TO_CONNECT, "read_timeout": SECONDS_TO_ANSWER}
    client = boto3.client("s3", config=Config(retries=retries, **seconds))
    if only_if_absent:
        for request in ("CopyObject", "PutObject", "CompleteMultipartUpload"):
            client.meta.events.register(f"provide-client-params.s3.{request}", _only_if_absent)
    return client


def _only_if_absent(params: Mapping[str, object], **_: object) -> dict[str, object]:
    return {**params, "IfNoneMatch": "*"}


@contextmanager
def _bucket_errors(place: PurePosixPath | None = None) -> Iterator[None]:
    """Turn what the bucket says into FileNotFoundError, of an object at a place, or BucketUnreachable."""
    try:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError as error:
        raise ClusterUnusable("cluster.not_installed", package=str(error.name)) from error
    try:
        yield
    except ClientError as error:
        if place is not None and _code(error) in NOT_THERE:
            raise FileNotFoundError(str(place)) from error
        raise BucketUnreachable("cluster.bucket_unreachable", reason=_reason(error)) from error
    except (BotoCoreError, Boto3Error) as error:
        raise BucketUnreachable("cluster.bucket_unreachable", reason=_reason(error)) from error


def _code(error: BaseException | None) -> str:
    response = getattr(error, "response", None) or {}
    return response.get("Error", {}).get("Code", "")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:LONGEST_REASON]
