"""Uploads: streamed into the folder they belong to, under a safe name, and visible there only when they are whole."""

import os
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import time
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from heygem_pipeline.clip.sidecar import write_trim
from heygem_pipeline.errors import NotReady, SidecarWrong
from heygem_pipeline.media.trim import WHOLE
from heygem_pipeline.planning.free_space import has_space_for
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.atomic import NO_ROOM, place
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import UPLOADS_OF_A_PERSON, Studio
from heygem_pipeline.uploads.registry import SUFFIXES, UploadKind, Uploads

PREFIX = ".receiving-"
"""Of a file that grows; the pipeline passes over names that begin with a dot."""

LONGEST_STEM = 150
"""Bytes; with an ending and a number the name stays below the 255 that Linux allows."""

ABANDONED_SECONDS = 3600

PIECE = 2**20
"""Bytes written at a time."""


def safe_name(name: str, kind: UploadKind) -> str:
    """The name an upload is stored under: any script, composed (NFC), no path, no control characters, not hidden.

    Raises Refusal where the ending is none of those the folder takes.
    """
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    shown = "".join(" " if unicodedata.category(c).startswith("C") and c != "\u200d" else c for c in last)
    stem, dot, suffix = " ".join(shown.split()).rpartition(".")
    taken = SUFFIXES[kind]
    if not dot or f".{suffix.lower()}" not in taken:
        raise Refusal("ending", name=shown[:80], endings=" ".join(sorted(ending[1:] for ending in taken)))
    stem = stem.lstrip(".~ ").encode()[:LONGEST_STEM].decode(errors="ignore").rstrip() or "upload"
    return f"{stem}.{suffix.lower()}"


async def bring_in(
    studio: Studio, person: str, kind: UploadKind, name: str, size: int, body: AsyncIterator[bytes], replaced: str = ""
) -> Path:
    """Receive an upload of somebody, and have it looked at; return where it lies. For the rest, see ``receive``."""
    if studio.receiving.locked() or studio.receiving_of[person] >= UPLOADS_OF_A_PERSON:
        raise Refusal("too_often", 429)
    studio.receiving_of[person] += 1
    try:
        async with studio.receiving:
            if replaced and replaced not in studio.snapshot.uploads.known(kind):
                raise HTTPException(404)
            path = await receive(studio.snapshot.uploads, kind, name, size, body, studio.settings, replaced)
    finally:
        studio.receiving_of[person] -= 1
        studio.receiving_of += Counter()  # Counts of nought go.
    if replaced and kind is not UploadKind.SCRIPT:
        # Start and end were another recording's.
        with suppress(SidecarWrong):
            await run_in_threadpool(write_trim, path, WHOLE)
    if not replaced:
        await run_in_threadpool(studio.require_campaigns_at_first)
    studio.first_looks.want(kind, path, new=True)
    studio.snapshot.expire()
    return path


async def receive(
    uploads: Uploads,
    kind: UploadKind,
    name: str,
    size: int,
    body: AsyncIterator[bytes],
    settings: Settings,
    replaced: str = "",
) -> Path:
    """Store an upload of ``size`` bytes; return its path. No other file is ever written over.

    replaced: key of the upload in whose place it comes; "" for a new one.
    Raises Refusal for what is too large, cut off, or has no room.
    """
    name = safe_name(name, kind)
    limit = settings.studio_max_gb
    if size > limit * 1e9:
        raise Refusal("too_large", 413, name=name, limit=f"{limit:g}")
    if size == 0:
        raise Refusal("empty", name=name)
    folder = uploads.folder(kind)
    away = await run_in_threadpool(uploads.away, kind)
    if away is not None:
        # It would lie hidden below the disk that comes back.
        raise NotReady("upload.folder_away", folder=folder.name, count=len(uploads.known(kind)))
    if not has_space_for(folder, size, settings.keep_free_gb):
        raise Refusal("no_room", 507, name=name)
    growing = folder / f"{PREFIX}{uuid4().hex}"
    try:
        with growing.open("xb", buffering=PIECE) as file:
            received = 0
            async for piece in body:
                received += len(piece)
                if received > size:
                    raise Refusal("cut_off", name=name)
                if len(piece) >= PIECE:
                    await run_in_threadpool(file.write, piece)
                else:
                    file.write(piece)
            if received != size:
                raise Refusal("cut_off", name=name)
            file.flush()
            await run_in_threadpool(os.fsync, file.fileno())
        if replaced:
            suffix = Path(name).suffix
            return await run_in_threadpool(uploads.exchange, kind, replaced, growing, suffix)
        return place(growing, _names(folder / name))
    except OSError as error:
        if error.errno in NO_ROOM:
            raise Refusal("no_room", 507, name=name) from error
        raise
    except ClientDisconnect as error:
        raise Refusal("cut_off", name=name) from error
    finally:
        growing.unlink(missing_ok=True)


def _names(path: Path) -> Iterator[Path]:
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem} ({number}){path.suffix}")


def remove_abandoned(uploads: Uploads) -> None:
    """Delete what a killed page was receiving."""
    for kind in UploadKind:
        for path in uploads.folder(kind).glob(f"{PREFIX}*"):
            with suppress(FileNotFoundError):
                if time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()
