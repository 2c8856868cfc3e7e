"""Which upload has which partition key: told apart for good, even when two files have one stem."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from time import time
from typing import Any

from heygem_pipeline.errors import OutputRefused, StageMissing, UploadMissing
from heygem_pipeline.media.formats import PRESENTER_SUFFIXES, SCRIPT_SUFFIXES, VOICE_SUFFIXES
from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.atomic import place
from heygem_pipeline.storage.fingerprint import fingerprint
from heygem_pipeline.storage.folder_identity import SeenFolders
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.storage.path_checks import leads_out
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.register import Register

NAME = "uploads"

UNFINISHED_PREFIXES = (".", "~")
UNFINISHED_STEMS = (".part", ".partial", ".crdownload", ".tmp", ".temp")
"""Ends of a stem: some programs keep the ending while they write (lesson.part.mp4)."""


class UploadKind(StrEnum):
    """The kinds of upload. A script becomes a recording: its key is a voice's key."""

    VOICE = "audio"
    PRESENTER = "template"
    SCRIPT = "script"


DIMENSIONS = (UploadKind.VOICE, UploadKind.PRESENTER)
"""The two sides of a clip, by the names of Dagster's partition dimensions."""

SUFFIXES = {
    UploadKind.VOICE: VOICE_SUFFIXES,
    UploadKind.PRESENTER: PRESENTER_SUFFIXES,
    UploadKind.SCRIPT: SCRIPT_SUFFIXES,
}


@dataclass(frozen=True)
class Upload:
    """A file that was taken in.

    Attributes:
        file: its name.
        size: bytes.
        modified: nanoseconds.
        fingerprint: "" if unreadable.
        since: POSIX time when this content was first seen.
    """

    file: str
    size: int
    modified: int
    fingerprint: str
    since: float

    def is_as_before(self, size: int, modified: int) -> bool:
        """Was this very file read, as far as can be told without reading it?"""
        return (self.size, self.modified) == (size, modified) and bool(self.fingerprint)


OTHERS_OF_A_VOICE = {UploadKind.VOICE: UploadKind.SCRIPT, UploadKind.SCRIPT: UploadKind.VOICE}
"""Kind -> the other one whose keys are voices' keys too."""


def always(_path: Path) -> bool:
    """Any file may be read now."""
    return True


@dataclass(frozen=True)
class Uploads:
    """The uploads of a data folder. The register ``uploads`` holds {kind: {key: Upload}}."""

    folders: DataFolders

    def folder(self, kind: UploadKind) -> Path:
        """The folder people drop such files into."""
        match kind:
            case UploadKind.VOICE:
                return self.folders.voices
            case UploadKind.PRESENTER:
                return self.folders.presenters
            case UploadKind.SCRIPT:
                return self.folders.scripts

    def files(self, kind: UploadKind) -> list[Path]:
        """The files there whose ending is accepted, in order of name. Names of downloads under way are passed over."""
        suffixes = SUFFIXES[kind]
        folder = self.folder(kind)
        return sorted(
            path
            for path in (folder.iterdir() if folder.is_dir() else ())
            if path.suffix.lower() in suffixes
            and not path.name.startswith(UNFINISHED_PREFIXES)
            and not path.stem.lower().endswith(UNFINISHED_STEMS)
            and _is_file(path)
            and not _leads_out(path, self.folders.root)
        )

    def take_in(self, kind: UploadKind, ready: Callable[[Path], bool] = always) -> dict[str, Path]:
        """Give every file a key and return all keys with their files.

        A file keeps its key while it is there; a newcomer whose stem is taken (another ending, another case) gets its
        suffix added. A recording and a script never have one key. A file that is gone frees its key. Only new and
        changed files are read, and only those that are ``ready``: of the others a new one gets no key yet, and a
        changed one stays known as it was.
        """
        with self._register.changing() as write:
            registers = self._read()
            before = registers.get(kind, {})
            if self.away(kind) is not None:
                return self.paths(kind, before)
            seen = _look_at(self.files(kind), before.values(), ready)
            if kind not in registers:
                # The register is new, or was lost: then what people cancelled and what failed since still counts.
                seen = {name: _since_its_change(self.folder(kind) / name, upload) for name, upload in seen.items()}
            others = registers.get(OTHERS_OF_A_VOICE.get(kind, ""), {})
            now = {key: seen[name] for key, name in _assign_keys(before, seen, others).items()}
            if now != before:
                stored = {
                    name: {key: asdict(upload) for key, upload in register.items()}
                    for name, register in (registers | {kind: now}).items()
                }
                write(stored)
            self._seen.remember(kind.value, self.folder(kind))
        return self.paths(kind, now)

    def exchange(self, kind: UploadKind, key: str, content: Path, suffix: str) -> Path:
        """Put a whole file of the same folder in place of an upload's, under its key; return where it lies.

        Raises UploadMissing, and OutputRefused where the key would not stay.

        Args:
            suffix: of the new content, ".mp3".
        """
        # Nobody takes in what lies there between the two steps.
        with self._register.changing():
            old = self.find(kind, key)
            if old.suffix.lower() == suffix:
                content.replace(old)
                return old
            new = old.with_suffix(suffix)
            if partition_key(old.stem) != key:
                raise OutputRefused("upload.other_ending", file=old.name, ending=old.suffix.removeprefix("."))
            try:
                place(content, [new])
            except FileExistsError as error:
                raise OutputRefused("upload.name_taken", file=new.name) from error
            old.unlink()
            return new

    def known(self, kind: UploadKind) -> dict[str, Upload]:
        """What was taken in, by key; the folder is not looked at."""
        return self._read().get(kind, {})

    def away(self, kind: UploadKind) -> Message | None:
        """Why what was taken in does not count as deleted though it is not there; None where nothing is amiss."""
        folder = self.folder(kind)
        known = self.known(kind) if self._seen.is_away(kind.value, folder) else {}
        return Message("upload.folder_away", folder=folder.name, count=len(known)) if known else None

    @property
    def _seen(self) -> SeenFolders:
        return self.folders.seen_folders("upload-folders")

    def paths(self, kind: UploadKind, uploads: Mapping[str, Upload]) -> dict[str, Path]:
        """The files of uploads, by key."""
        return {key: self.folder(kind) / upload.file for key, upload in uploads.items()}

    def voices(self, known: Mapping[UploadKind, Mapping[str, Upload]] | None = None) -> dict[str, Path]:
        """The files of all voices, recordings and scripts, by key.

        Args:
            known: default, all that were taken in by now.
        """
        kinds = UploadKind.VOICE, UploadKind.SCRIPT
        taken_in = known or {kind: self.known(kind) for kind in kinds}
        return {key: path for kind in kinds for key, path in self.paths(kind, taken_in[kind]).items()}

    def sound(self, key: str) -> Path:
        """The file of sound of a voice: a person's recording, or the one made from its script.

        Raises UploadMissing where nothing of that key was taken in, StageMissing where its script was not spoken yet.
        """
        if key not in self.known(UploadKind.SCRIPT):
            return self.find(UploadKind.VOICE, key)
        spoken = self.folders.spoken(key)
        if self.folders.files.find(spoken) is None:
            raise StageMissing("stage.not_stored", asset="spoken_script", key=key)
        return spoken

    def bring(self, kind: UploadKind, key: str) -> Path:
        """``find`` for a run on any machine: with what stands beside it, it is here until the run ends."""
        upload = self.known(kind).get(key)
        if upload is not None:
            beginning = f"{Path(upload.file).stem}."
            self.folders.files.refresh(self.folder(kind), lambda name: name.startswith(beginning))
        return self.find(kind, key)

    def bring_sound(self, key: str) -> Path:
        """``sound`` for a run on any machine: with its text, it is here until the run ends."""
        sound = self.sound(key) if key in self.known(UploadKind.SCRIPT) else self.bring(UploadKind.VOICE, key)
        self.folders.files.refresh(sound.parent, lambda name: name.startswith(f"{sound.stem}."))
        return sound

    def find(self, kind: UploadKind, key: str) -> Path:
        """The file of a key that was taken in. Raises UploadMissing."""
        upload = self.known(kind).get(key)
        path = self.folder(kind) / upload.file if upload is not None else None
        if path is None or not path.exists() or leads_out(path, self.folders.root):
            raise UploadMissing("upload.gone", key=key, folder=self.folder(kind).name)
        return path

    @property
    def have_been_taken_in(self) -> bool:
        """Whether any upload ever was."""
        return self._register.mark is not None

    @property
    def _register(self) -> Register:
        return self.folders.register(NAME)

    def _read(self) -> dict[str, dict[str, Upload]]:
        return self._register.read(_understood, {})


def _understood(stored: dict[str, dict[str, Any]]) -> dict[str, dict[str, Upload]]:
    return {kind: {key: _upload(entry) for key, entry in register.items()} for kind, register in stored.items()}


def _upload(entry: dict[str, str | int | float] | str) -> Upload:
    """An entry of the register; an earlier version kept the file's name alone."""
    if isinstance(entry, str):
        return Upload(entry, -1, -1, "", 0.0)
    upload = Upload(**entry)  # pyright: ignore[reportArgumentType]
    if not isinstance(upload.file, str) or "/" in upload.file:
        raise ValueError(upload.file)
    return replace(upload, since=float(upload.since))


def same_names(recordings: Mapping[str, Upload], scripts: Mapping[str, Upload]) -> dict[str, Message]:
    """Key -> why it is refused: a recording and a script of one name, of which the first to come is kept."""
    called: dict[str, list[tuple[str, str]]] = {}
    for key, upload in recordings.items():
        called.setdefault(_name_of(upload), []).append((key, upload.file))
    refused = {}
    for key, script in scripts.items():
        for other, recording in called.get(_name_of(script), ()):
            newcomer = other if key == partition_key(Path(script.file).stem) else key
            refused[newcomer] = Message("upload.same_name", recording=recording, script=script.file)
    return refused


def _name_of(upload: Upload) -> str:
    return partition_key(Path(upload.file).stem).casefold()


def _leads_out(path: Path, root: Path) -> bool:
    """Whether a link out of the data folder bears this name; what its disk cannot tell is looked at later."""
    try:
        return path.is_symlink() and leads_out(path, root)
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True  # perhaps; what is known of it is not forgotten


def _look_at(files: Iterable[Path], before: Iterable[Upload], ready: Callable[[Path], bool]) -> dict[str, Upload]:
    """Return file name -> upload for the files that are known or may be read."""
    known = {upload.file: upload for upload in before}
    seen = {}
    for path in files:
        upload = known.get(path.name)
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            # It is there, and its disk does not answer: it keeps its key, and the others are looked at.
            logging.getLogger(__name__).warning(
                "%s", Message("upload.unreadable", file=path.name, reason=str(error.strerror))
            )
            if upload is not None:
                seen[path.name] = upload
            continue
        if upload is None or not upload.is_as_before(status.st_size, status.st_mtime_ns):
            if ready(path):
                # Should it be written to while it is read, then its time no longer fits, and it is read again.
                upload = _read_anew(path, status.st_size, status.st_mtime_ns, upload)
            elif upload is None:
                continue
        seen[path.name] = upload
    return seen


def _read_anew(path: Path, size: int, modified: int, before: Upload | None) -> Upload:
    try:
        content = fingerprint(path)
    except UploadMissing:
        content = ""
    same = before is not None and before.fingerprint == content
    return Upload(path.name, size, modified, content, before.since if before is not None and same else time())


def _since_its_change(path: Path, upload: Upload) -> Upload:
    try:
        return replace(upload, since=min(upload.since, path.stat().st_ctime))
    except FileNotFoundError:
        return upload


def _assign_keys(before: dict[str, Upload], names: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Return key -> file name for ``names``, keeping what is known.

    Args:
        others: keys that are taken besides.
    """
    names = list(names)
    there = set(names)
    keys = {key: upload.file for key, upload in before.items() if upload.file in there}
    taken = {key.casefold() for key in (*keys, *others)}
    newcomers = there.difference(keys.values())
    for name in names:
        if name not in newcomers:
            continue
        stem, _, suffix = name.rpartition(".")
        key = partition_key(stem)
        count = 1
        while key.casefold() in taken:
            key = partition_key(f"{stem} ({suffix})" if count == 1 else f"{stem} ({suffix} {count})")
            count += 1
        keys[key] = name
        taken.add(key.casefold())
    return keys
