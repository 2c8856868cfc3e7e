"""Which files of the store, the outputs and the logs are no longer needed. Uploads never are among them."""

import os
import shutil
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from heygem_pipeline.operations.earlier_clips import earlier_of_voice
from heygem_pipeline.operations.retention_items import DAY, Removable, modified, removable_file
from heygem_pipeline.runs.materializations import ClipFiles, keys_like
from heygem_pipeline.runs.progress import progress_files
from heygem_pipeline.settings import KeepSettings
from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX
from heygem_pipeline.storage.bucket_files import BucketFiles
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.file_store import LocalFiles, StoredFile
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.registry import UploadKind, Uploads

LARGEST_SERVER_LOG = 20 * 10**6
"""Bytes: two weeks or more of what page and daemon print."""

ANY = ClipKey("any", "any")
"""Shows where files of clips lie."""

ABOUT_CLIPS = DataFolders.report, DataFolders.filmstrip

LOCAL = LocalFiles()
"""What each machine has for itself."""


def removable_patches(
    folders: DataFolders, keeping: KeepSettings, busy: Collection[str], now: float
) -> Iterator[Removable]:
    """Mouth patches: only the second half of a clip's making reads them. busy: clips that runs work on."""
    keep, keep_unfinished = keeping.keep_patches_days, keeping.keep_store_days
    finished = "mouth patches of finished clips", f"HEYGEM_KEEP_PATCHES_DAYS={keep:g}"
    unfinished = "mouth patches of unfinished clips", f"HEYGEM_KEEP_STORE_DAYS={keep_unfinished:g}"
    files = folders.files
    for clip, patches in _of_clips(folders, folders.patches(ANY)):
        if clip.partition in busy:
            continue
        report = files.find(folders.report(clip))
        if report is not None and report.modified >= patches.modified and files.find(folders.clip(clip)) is not None:
            if now - report.modified / 1e9 >= keep * DAY:
                yield from removable_file(*finished, patches.path, files)
        elif now - patches.modified / 1e9 >= max(keep, keep_unfinished) * DAY:
            yield from removable_file(*unfinished, patches.path, files)


def removable_previews(folders: DataFolders, keeping: KeepSettings, now: float) -> Iterator[Removable]:
    """Previews, and what was asked of them, a while after they were last asked for or made."""
    keep = keeping.keep_previews_days
    for example in (folders.preview(ANY), folders.preview_wish(ANY)):
        for _, stored in _of_clips(folders, example):
            if now - stored.modified / 1e9 >= keep * DAY:
                yield from removable_file("previews", f"HEYGEM_KEEP_PREVIEWS_DAYS={keep:g}", stored.path, folders.files)


def removable_store(
    folders: DataFolders, keeping: KeepSettings, busy: Collection[str], now: float, remember: bool = True
) -> Iterator[Removable]:
    """What the store holds of uploads and clips that have been gone for some days: a disk may be away for a while.

    Since when they are gone is remembered in the register ``gone``.
    """
    register = folders.register("gone")
    before = register.read(_times, {})
    gone = {str(path.relative_to(folders.root)): what for what, path in _gone(folders, busy)}
    since = {name: before.get(name, now) for name in gone}
    if remember and since != before:
        with register.changing() as write:
            write(since)
    keep = keeping.keep_store_days
    of_the_machine = folders.first_look("any", "any").parents[1]
    for name, what in gone.items():
        path = folders.root / name
        if now - since[name] >= keep * DAY:
            files = LOCAL if path.is_relative_to(of_the_machine) else folders.files
            yield from removable_file(what, f"HEYGEM_KEEP_STORE_DAYS={keep:g}", path, files)


def _times(stored: dict[str, float]) -> dict[str, float]:
    return {name: float(since) for name, since in stored.items()}


def _gone(folders: DataFolders, busy: Collection[str]) -> Iterator[tuple[str, Path]]:
    uploads = Uploads(folders)
    recordings, presenters = uploads.known(UploadKind.VOICE), uploads.known(UploadKind.PRESENTER)
    scripts = uploads.known(UploadKind.SCRIPT)
    voices = recordings | scripts
    of_scripts = [
        ("recordings of scripts that are gone", example)
        for example in (folders.spoken("any"), folders.transcript("any"), folders.subtitles("any"))
    ]
    of_voices = [
        ("features of voices that are gone", folders.voice("any")),
        *(("subtitles of voices that are gone", folders.voice_text("any", suffix)) for suffix in (".srt", ".vtt")),
    ]
    of_presenters = [
        ("tracks of presenters that are gone", folders.tracks("any")),
        ("tracks of presenters that are gone", folders.presenter_speech("any")),
        ("encodings of presenters that are gone", folders.face_encodings("any")),
        ("encodings of presenters that are gone", folders.lip_record("any")),
    ]
    for known, stored in ((voices, of_voices), (scripts, of_scripts), (presenters, of_presenters)):
        for what, example in stored:
            for key in sorted(keys_like(folders, example) - known.keys()):
                yield what, example.with_name(key + example.suffix)
    for kind, known in (
        (UploadKind.VOICE, recordings),
        (UploadKind.SCRIPT, scripts),
        (UploadKind.PRESENTER, presenters),
    ):
        needed = {folders.first_look(kind, upload.file).name for upload in known.values()}
        for path in sorted(folders.first_look(kind, "any").parent.glob("*")):
            if path.name.partition(".")[0] not in needed and not path.name.startswith(TEMPORARY_PREFIX):
                yield "first looks at uploads that are gone", path
    of_clips = [(clip, one.path) for example in ABOUT_CLIPS for clip, one in _of_clips(folders, example(folders, ANY))]
    # Looked at last: what came meanwhile is there.
    there = {clip for clip, _ in _of_clips(folders, folders.clip(ANY))}
    for clip, path in of_clips:
        if clip not in there and clip.partition not in busy:
            yield "reports and filmstrips of clips that are gone", path
    for clip, removed in _of_clips(folders, folders.removed(ANY)):
        if clip.voice not in voices or clip.presenter not in presenters:
            yield "reports and filmstrips of clips that are gone", removed.path


def removable_outputs(
    folders: DataFolders, keeping: KeepSettings, delivered: Collection[str], busy: Collection[str], now: float
) -> Iterator[Removable]:
    """Clips and ZIPs that people have had long enough to take: those of a voice go together, or stay.

    Only clips with a report, and ZIPs of voices that were delivered: other files are not the pipeline's. A removed
    clip's report stays as ``DataFolders.removed``. busy: voices that runs work on.
    """
    keep = keeping.keep_outputs_days
    if keep is None:
        return
    why = f"HEYGEM_KEEP_OUTPUTS_DAYS={keep:g}"
    kept = folders.files
    for voice in kept.folders(folders.outputs):
        files = ClipFiles.of_voice(folders, voice)
        # A prune that was killed may have marked a clip, and not removed it yet.
        there = files.clips & (files.reports | files.removed)
        ours = [ClipKey(voice, presenter) for presenter in sorted(there)]
        earlier = earlier_of_voice(folders, voice)
        outputs = [*map(folders.clip, ours), *(one.path(folders) for one in earlier)]
        times = [found.modified / 1e9 for path in outputs if (found := kept.find(path)) is not None]
        if not times or voice in busy or now - max(times) < keep * DAY:
            continue
        if voice in delivered:
            yield from removable_file("ZIPs", why, folders.delivery(voice), kept)
        for clip in ours:
            mark = partial(_mark_as_removed, folders, clip)
            yield from removable_file("finished clips", why, folders.clip(clip), kept, mark)
        for one in earlier:
            yield from removable_file("earlier clips", why, one.path(folders), kept)
            yield from removable_file("reports of earlier clips", why, one.report_path(folders), kept)


def _mark_as_removed(folders: DataFolders, clip: ClipKey) -> bool:
    mark = folders.removed(clip)
    try:
        folders.files.move(folders.report(clip), mark)
    except FileNotFoundError:
        return folders.files.find(mark) is not None
    return True


def removable_half_written(folders: DataFolders, now: float) -> Iterator[Removable]:
    """What runs that were killed were writing; the next start removes it too."""
    half_written = (path for place in ("store", "outputs") for path in _half_written(folders.root / place))
    for path in [*half_written, *progress_files(folders)]:
        written = modified(path)
        if written is not None and now - written >= DAY:
            yield from removable_file("half-written files of killed runs", "untouched for a day", path, LOCAL)


def _half_written(folder: Path) -> list[Path]:
    return sorted(folder.rglob(f"{TEMPORARY_PREFIX}*"))


def removable_objects(folders: DataFolders, now: float) -> Iterator[Removable]:
    """What killed runs have left in the bucket of a cluster."""
    files = folders.files
    if not isinstance(files, BucketFiles):
        return
    files.end_uploads(now - DAY)
    # What lay there before the cluster was set up is none of its own.
    identity = files.find(folders.cluster_identity)
    if identity is None:
        return
    for key, size, modified_at in list(files.unknown_objects(folders.published)):
        if now - modified_at >= DAY and modified_at * 1e9 >= identity.modified:

            def remove(key: str = key) -> bool:
                files.delete_object(key)
                return True

            yield Removable("objects of killed runs", "untouched for a day", size, remove)


def removable_log(folders: DataFolders) -> Iterator[Removable]:
    """The log of page and daemon, which they hold open: its content goes to a second file, and that one's goes."""
    log = folders.server_log
    size = log.stat().st_size if log.exists() else 0
    old = log.with_name(f"{log.name}.1")
    if size <= LARGEST_SERVER_LOG:
        return

    def roll() -> bool:
        shutil.copyfile(log, old)
        os.truncate(log, 0)
        return True

    yield Removable(
        "old lines of dagster.log",
        f"it is larger than {LARGEST_SERVER_LOG / 1e6:.0f} MB; the newest stay in {old.name}",
        old.stat().st_size if old.exists() else 0,
        roll,
    )


def _of_clips(folders: DataFolders, example: Path) -> Iterator[tuple[ClipKey, StoredFile]]:
    """Clip and file of every file that lies like ``example``."""
    folder = example.parents[1]
    for stored in folders.files.below(folder):
        if stored.path.suffix == example.suffix and stored.path.parents[1] == folder:
            clip = ClipKey(stored.path.parent.name, stored.path.name.removesuffix(example.suffix))
            if not stored.path.name.startswith(TEMPORARY_PREFIX):
                yield clip, stored
