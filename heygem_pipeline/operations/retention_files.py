"""Which files of the store, the outputs and the logs are no longer needed. Uploads never are among them."""

import json
import os
import shutil
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from heygem_pipeline.operations.removable import DAY, Removable, modified, removable_file
from heygem_pipeline.runs.materializations import keys_in
from heygem_pipeline.runs.stages import key_of
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX, atomic_path
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.uploads.registry import UploadKind, Uploads

LARGEST_SERVER_LOG = 20 * 10**6
"""Bytes: two weeks or more of what page and daemon print."""


def removable_patches(folders: DataFolders, busy: Collection[str], now: float) -> Iterator[Removable]:
    """Mouth patches: only the second half of a clip's making reads them. busy: clips that runs work on."""
    keep, keep_unfinished = settings().keep_patches_days, settings().keep_store_days
    finished = "mouth patches of finished clips", f"HEYGEM_KEEP_PATCHES_DAYS={keep:g}"
    unfinished = "mouth patches of unfinished clips", f"HEYGEM_KEEP_STORE_DAYS={keep_unfinished:g}"
    for audio, template, path in _of_clips(folders.patches("any", "any"), ".parquet"):
        made = modified(path)
        if made is None or key_of(audio, template) in busy:
            continue
        reported = modified(folders.report(audio, template))
        if reported is not None and reported >= made and folders.clip(audio, template).exists():
            if now - reported >= keep * DAY:
                yield from removable_file(*finished, path)
        elif now - made >= max(keep, keep_unfinished) * DAY:
            yield from removable_file(*unfinished, path)


def removable_store(
    folders: DataFolders, busy: Collection[str], now: float, remember: bool = True
) -> Iterator[Removable]:
    """What the store holds of uploads and clips that have been gone for some days: a disk may be away for a while.

    Since when they are gone is remembered in ``state/gone.json``.
    """
    register = folders.state / "gone.json"
    before = json.loads(register.read_text(encoding="utf-8")) if register.exists() else {}
    gone = {str(path.relative_to(folders.root)): what for what, path in _gone(folders, busy)}
    since = {name: before.get(name, now) for name in gone}
    if remember and since != before:
        with atomic_path(register) as temporary:
            temporary.write_text(json.dumps(since, ensure_ascii=False, indent=1), encoding="utf-8")
    keep = settings().keep_store_days
    for name, what in gone.items():
        if now - since[name] >= keep * DAY:
            yield from removable_file(what, f"HEYGEM_KEEP_STORE_DAYS={keep:g}", folders.root / name)


def _gone(folders: DataFolders, busy: Collection[str]) -> Iterator[tuple[str, Path]]:
    uploads = Uploads(folders)
    voices, presenters = uploads.known(UploadKind.AUDIO), uploads.known(UploadKind.TEMPLATE)
    of_voices = [("features of voices that are gone", folders.voice("any"))]
    of_presenters = [
        ("tracks of presenters that are gone", folders.tracks("any")),
        ("tracks of presenters that are gone", folders.template_speech("any")),
    ]
    for known, stored in ((voices, of_voices), (presenters, of_presenters)):
        for what, example in stored:
            for key in sorted(keys_in(example.parent, example.suffix) - known.keys()):
                yield what, example.with_name(key + example.suffix)
    for kind, known in ((UploadKind.AUDIO, voices), (UploadKind.TEMPLATE, presenters)):
        needed = {folders.first_look(kind, upload.file).name for upload in known.values()}
        for path in sorted(folders.first_look(kind, "any").parent.glob("*")):
            if path.name.partition(".")[0] not in needed and not path.name.startswith(TEMPORARY_PREFIX):
                yield "first looks at uploads that are gone", path
    for example in (folders.report("any", "any"), folders.filmstrip("any", "any")):
        for audio, template, path in _of_clips(example, example.suffix):
            if not folders.clip(audio, template).exists() and key_of(audio, template) not in busy:
                yield "reports and filmstrips of clips that are gone", path
    for audio, template, path in _of_clips(folders.removed("any", "any"), ".removed"):
        if audio not in voices or template not in presenters:
            yield "reports and filmstrips of clips that are gone", path


def removable_outputs(
    folders: DataFolders, delivered: Collection[str], busy: Collection[str], now: float
) -> Iterator[Removable]:
    """Clips and ZIPs that people have had long enough to take: those of a voice go together, or stay.

    Only clips with a report, and ZIPs of voices that were delivered: other files are not the pipeline's. A removed
    clip's report stays as ``DataFolders.removed``. busy: voices that runs work on.
    """
    keep = settings().keep_outputs_days
    if keep is None:
        return
    why = f"HEYGEM_KEEP_OUTPUTS_DAYS={keep:g}"
    for audio in _folders_in(folders.clip("any", "any").parents[1]):
        reported = keys_in(folders.report(audio, "any").parent, ".json")
        # A prune that was killed may have marked a clip, and not removed it yet.
        marked = keys_in(folders.removed(audio, "any").parent, ".removed")
        ours = sorted(keys_in(folders.clip(audio, "any").parent, ".mp4") & (reported | marked))
        times = [time for template in ours if (time := modified(folders.clip(audio, template))) is not None]
        if not times or audio in busy or now - max(times) < keep * DAY:
            continue
        if audio in delivered:
            yield from removable_file("ZIPs", why, folders.delivery(audio))
        for template in ours:
            mark = partial(_mark_as_removed, folders, audio, template)
            yield from removable_file("finished clips", why, folders.clip(audio, template), mark)


def _mark_as_removed(folders: DataFolders, audio: str, template: str) -> bool:
    mark = folders.removed(audio, template)
    try:
        folders.report(audio, template).replace(mark)
    except FileNotFoundError:
        return mark.exists()
    return True


def removable_half_written(folders: DataFolders, now: float) -> Iterator[Removable]:
    """What runs that were killed were writing; the next start removes it too."""
    for place in ("store", "outputs"):
        for path in sorted((folders.root / place).rglob(f"{TEMPORARY_PREFIX}*")):
            written = modified(path)
            if written is not None and now - written >= DAY:
                yield from removable_file("half-written files of killed runs", "untouched for a day", path)


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


def _of_clips(example: Path, suffix: str) -> Iterator[tuple[str, str, Path]]:
    """Voice, presenter and path of every file that lies like ``example``, <folder>/<voice>/<presenter><suffix>."""
    folder = example.parents[1]
    for audio in _folders_in(folder):
        for template in sorted(keys_in(folder / audio, suffix)):
            yield audio, template, folder / audio / f"{template}{suffix}"


def _folders_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())
