"""Erasing (``heygem forget``) a clip, a voice or a presenter: what is kept of it is named first, then deleted."""

import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import dagster as dg
from dagster import RunsFilter

from heygem_pipeline.clip.sidecar import read_trim, remove_moving
from heygem_pipeline.clip.voice_text import SUFFIXES
from heygem_pipeline.errors import InUse, SidecarWrong, UploadMissing
from heygem_pipeline.messages.message import Message
from heygem_pipeline.operations.earlier_clips import all_earlier
from heygem_pipeline.planning.requests import erase_requests
from heygem_pipeline.runs.dagster_internals import PARTITION_NAME_TAG, get_multidimensional_partition_tag
from heygem_pipeline.runs.materializations import keys_like
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.runs.run_events import RunEvents
from heygem_pipeline.runs.stages import PREVIEW_JOB, PREVIEW_TAG, STAGE_OF_ASSET, STAGE_OF_JOB, Stage
from heygem_pipeline.storage.clip_key import ClipKey, label_of
from heygem_pipeline.storage.file_store import FileStore
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.storage.paths import DataFolders, sidecar_of
from heygem_pipeline.uploads.registry import UploadKind, Uploads
from heygem_pipeline.uploads.tags import TaggedKind, Tags


@dataclass(frozen=True)
class ErasureTarget:
    """A clip where both keys are given, else a whole voice or a whole presenter."""

    voice: str | None
    presenter: str | None

    def __post_init__(self) -> None:
        """Raise UploadMissing for what no upload's key can be, such as a path: it names nothing of the pipeline's."""
        for key in (self.voice, self.presenter):
            if key is not None and partition_key(key) != key:
                raise UploadMissing("erasure.no_key", key=key)
        if self.voice is None and self.presenter is None:
            raise UploadMissing("erasure.nothing_named")

    @classmethod
    def of_clip(cls, clip: ClipKey) -> "ErasureTarget":
        """A clip alone."""
        return cls(clip.voice, clip.presenter)

    @property
    def clip(self) -> ClipKey | None:
        """The clip it is; None for a whole voice or presenter."""
        return ClipKey(self.voice, self.presenter) if self.voice is not None and self.presenter is not None else None

    def __str__(self) -> str:
        """As people say it."""
        return str(self.message)

    @property
    def message(self) -> Message:
        """As people say it, in any language."""
        if self.clip is not None:
            return Message("target.clip", clip=self.clip.label)
        if self.voice is not None:
            return Message("target.voice", voice=self.voice)
        return Message("target.presenter", presenter=str(self.presenter))

    def holds(self, voice: str | None, presenter: str | None) -> bool:
        """Does what is kept of these keys belong to it?"""
        return self.voice in (None, voice) and self.presenter in (None, presenter)

    def concerns(self, stage: str, key: str) -> bool:
        """Is this failure or request one of its own?"""
        if stage == Stage.PRESENTER:
            return self.voice is None and self.presenter == key
        clip = ClipKey.from_partition(key)
        return self.holds(clip.voice, clip.presenter or None)


@dataclass(frozen=True)
class ErasurePlan:
    """What will be deleted: files by what they are, and Dagster's records of runs."""

    target: ErasureTarget
    files: Mapping[str, list[Path]]
    runs: list[dg.DagsterRun]

    @property
    def paths(self) -> list[Path]:
        """All files."""
        return list(chain.from_iterable(self.files.values()))


def plan_erasure(instance: dg.DagsterInstance, folders: DataFolders, target: ErasureTarget) -> ErasurePlan:
    """Find everything that is to be deleted. Raises UploadMissing where there is nothing."""
    files: dict[str, list[Path]] = defaultdict(list)
    for what, path in _files(folders, target):
        files[what].append(path)
    kept = ErasurePlan(target, dict(files), _runs(instance, target))
    if not kept.files and not kept.runs:
        raise UploadMissing("erasure.nothing_kept", target=target.message)
    return kept


def bytes_of(folders: DataFolders, path: Path) -> int:
    """Size of a file that is kept; 0 where it went meanwhile."""
    stored = folders.files.find(path)
    if stored is not None:
        return stored.size
    # A link out of the data folder, or what this machine has for itself.
    with suppress(FileNotFoundError):
        return path.lstat().st_size
    return 0


def require_idle(runs: Iterable[dg.DagsterRun], target: ErasureTarget) -> None:
    """Raise InUse where a run is queued or works on it."""
    for run in runs:
        if not run.is_finished:
            name = label_of(run.tags.get(PARTITION_NAME_TAG) or run.tags[PREVIEW_TAG])
            raise InUse("erasure.in_use", run=run.run_id[:8], target=target.message, name=name)


def erase(instance: dg.DagsterInstance, folders: DataFolders, kept: ErasurePlan) -> None:
    """Delete it all, and what was made of it since it was listed; raises InUse where a run works on it.

    Uploads go first, so that no further run is started.
    """
    target = kept.target
    require_idle(_runs(instance, target), target)
    for path in kept.files.get("uploads", ()):
        path.unlink(missing_ok=True)
        remove_moving(path)
    take_in_uploads(instance, folders, ready=lambda _: False)
    runs = _runs(instance, target)
    require_idle(runs, target)
    paths = {*kept.paths, *(path for _, path in _files(folders, target))}
    for path in paths:
        folders.files.remove(path)
    roots = [place.parents[1] for place in _of_clips(folders).values()]
    roots.append(folders.earlier_reports("any").parent)
    # Deeper folders first: theirs may be empty then.
    for folder in {path.parent for path in paths if path.parent.name == folders.earlier_clips("any").name}:
        with suppress(OSError):
            folder.rmdir()
    emptied = {path.parent for path in paths if path.parent.parent in roots}
    if target.presenter is None:
        emptied |= {root / str(target.voice) for root in roots}
    for folder in emptied:
        with suppress(OSError):  # not there, or other clips lie in it
            folder.rmdir()
    erase_requests(folders, target.concerns)
    tags = Tags(folders)
    if target.presenter is None and target.voice is not None:
        tags.remove(TaggedKind.VOICES, target.voice)
    if target.voice is None and target.presenter is not None:
        tags.remove(TaggedKind.PRESENTERS, target.presenter)
    for run in runs:
        _delete_run(instance, run.run_id)


def _files(folders: DataFolders, target: ErasureTarget) -> Iterator[tuple[str, Path]]:
    """What it is, and where it lies, for each file that is there."""
    candidates: list[tuple[str, Path]] = []
    uploads = Uploads(folders)
    if target.presenter is None and target.voice is not None:
        candidates += _of_upload(uploads, UploadKind.VOICE, target.voice)
        candidates += _of_upload(uploads, UploadKind.SCRIPT, target.voice)
        spoken = folders.spoken(target.voice), folders.transcript(target.voice), folders.subtitles(target.voice)
        candidates += [("recordings of scripts", path) for path in spoken]
        candidates += [("subtitles", folders.voice_text(target.voice, suffix)) for suffix in (".srt", ".vtt")]
        candidates += [("texts", path) for path in _texts_beside(uploads, target.voice)]
        candidates += [("features", folders.voice(target.voice))]
    if target.voice is None and target.presenter is not None:
        candidates += _of_upload(uploads, UploadKind.PRESENTER, target.presenter)
        candidates += [
            ("tracks", folders.tracks(target.presenter)),
            ("tracks", folders.presenter_speech(target.presenter)),
            ("encodings", folders.face_encodings(target.presenter)),
            ("encodings", folders.lip_record(target.presenter)),
        ]
    for what, place in _of_clips(folders).items():
        root, ending = place.parents[1], place.suffix
        voices = [target.voice] if target.voice is not None else folders.files.folders(root)
        for voice, listing in folders.files.listings(root, voices).items():
            there = (root / voice / name for name in sorted(listing.names) if name.endswith(ending))
            candidates += [(what, path) for path in there if target.holds(voice, path.stem)]
    for one in all_earlier(folders):
        if target.holds(one.clip.voice, one.clip.presenter):
            candidates += [("earlier clips", one.path(folders)), ("reports of earlier clips", one.report_path(folders))]
    file = uploads.known(UploadKind.PRESENTER).get(target.presenter or "")
    names = {target.presenter, f"{target.presenter}.mp4", file.file if file else None}
    for voice in sorted(keys_like(folders, folders.delivery("any"))):
        archive = folders.delivery(voice)
        made = (
            target.presenter is None or folders.files.find(folders.clip(ClipKey(voice, target.presenter))) is not None
        )
        if target.holds(voice, target.presenter) and (made or _names_one_of(folders.files, archive, names)):
            candidates.append(("ZIPs", archive))
    for what, path in candidates:
        if path.is_symlink() or path.is_file() or folders.files.find(path) is not None:
            yield what, path


def _of_upload(uploads: Uploads, kind: UploadKind, key: str) -> Iterator[tuple[str, Path]]:
    """The file itself, what stands beside it, and what the Studio saw of it."""
    folder = uploads.folder(kind)
    # A link out of the data folder is no upload, and goes with what bears its name.
    links = (path for path in folder.iterdir() if path.is_symlink() and path.stem == key) if folder.is_dir() else ()
    yield from (("uploads", path) for path in links)
    upload = uploads.known(kind).get(key)
    if upload is not None:
        yield "uploads", uploads.folder(kind) / upload.file
        yield from (("sidecars", path) for path in _sidecar_beside(uploads, kind, key, upload.file))
        look = uploads.folders.first_look(kind, upload.file)
        yield from (("first looks", path) for path in sorted(look.parent.glob(f"{look.name}.*")))


def _sidecar_beside(uploads: Uploads, kind: UploadKind, key: str, file: str) -> Iterator[Path]:
    """What says how it is handled, unless another upload is called so too, or it is another's file."""
    upload = uploads.folder(kind) / file
    others = (Path(other.file).stem for name, other in uploads.known(kind).items() if name != key)
    if kind is UploadKind.SCRIPT or upload.stem in others:
        return
    try:
        if kind is UploadKind.PRESENTER or not read_trim(upload).is_whole:
            yield sidecar_of(upload)
    except SidecarWrong:
        return


def _texts_beside(uploads: Uploads, key: str) -> Iterator[Path]:
    """What came with a recording as its text, unless another recording is called so too."""
    recordings = uploads.known(UploadKind.VOICE)
    if key not in recordings:
        return
    stem = Path(recordings[key].file).stem
    if not any(Path(other.file).stem == stem for name, other in recordings.items() if name != key):
        folder = uploads.folder(UploadKind.VOICE)
        yield from (path for path in folder.glob("*") if path.stem == stem and path.suffix.lower() in SUFFIXES)


def _of_clips(folders: DataFolders) -> dict[str, Path]:
    """Where each thing kept of a clip lies, with some keys: in a folder a voice, a file a presenter."""
    some = ClipKey("voice", "presenter")
    return {
        "finished clips": folders.clip(some),
        "patches": folders.patches(some),
        "reports": folders.report(some),
        "reports of removed clips": folders.removed(some),
        "filmstrips": folders.filmstrip(some),
        "previews": folders.preview(some),
        "asked previews": folders.preview_wish(some),
    }


def _names_one_of(files: FileStore, archive: Path, names: Iterable[str | None]) -> bool:
    """Does the ZIP's manifest name a presenter? One that cannot be read may."""
    try:
        with zipfile.ZipFile(files.fetch(archive)) as file:
            manifest = file.read("manifest.json").decode()
    except (zipfile.BadZipFile, KeyError):
        return True
    return any(json.dumps(name, ensure_ascii=False) in manifest for name in names if name is not None)


def _runs(instance: dg.DagsterInstance, target: ErasureTarget) -> list[dg.DagsterRun]:
    """The runs that worked on it alone, the newest first; a run over many partitions is nobody's."""
    tags = [
        {get_multidimensional_partition_tag(kind.value): key}
        for kind, key in ((UploadKind.VOICE, target.voice), (UploadKind.PRESENTER, target.presenter))
        if key is not None
    ]
    if target.clip is None:
        tags.append({PARTITION_NAME_TAG: target.voice or target.presenter or ""})
    else:
        tags = [{PARTITION_NAME_TAG: target.clip.partition}]
    found = chain.from_iterable(instance.get_runs(RunsFilter(tags=wanted)) for wanted in tags)
    theirs = {run.run_id: run for run in found if _is_of(run, target)}
    for run in instance.get_runs(RunsFilter(job_name=PREVIEW_JOB)):
        if target.concerns(Stage.CLIP, run.tags.get(PREVIEW_TAG, "")):
            theirs[run.run_id] = run
    return list(theirs.values())


def _is_of(run: dg.DagsterRun, target: ErasureTarget) -> bool:
    key = run.tags.get(PARTITION_NAME_TAG, "")
    stages = {STAGE_OF_ASSET.get(asset.to_user_string()) for asset in run.asset_selection or ()}
    stage = Stage.PRESENTER if Stage.PRESENTER in stages else STAGE_OF_JOB.get(run.job_name, Stage.VOICE)
    return target.concerns(stage, key)


def _delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with its events and its output."""
    RunEvents(instance).remove_every_trace(run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
