"""The files that people may have: clips, what they brought in, pictures of both. Nothing else is ever sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from mimetypes import guess_type
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from heygem_pipeline.campaigns.campaigns_folder import load_campaigns
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.media.archive import StreamedArchive
from heygem_pipeline.operations.earlier_clips import earlier_of
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.file_store import FileStore, LocalFiles, StoredFile
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.storage.path_checks import leads_out
from heygem_pipeline.studio.download_names import checked_pattern, earlier_name, names_of
from heygem_pipeline.studio.first_look import picture_of, trouble_of
from heygem_pipeline.studio.forms import named_clip
from heygem_pipeline.studio.overview import EVERYTHING
from heygem_pipeline.studio.shared_state import Studio, studio_of
from heygem_pipeline.uploads.registry import UploadKind

KEPT = {"cache-control": "private, max-age=86400, immutable"}
"""For addresses that name the content's mark."""

SANDBOX = {"content-security-policy": "default-src 'none'; sandbox"}
"""What strangers made is shown, never run."""

ZIP, BYTES = "application/zip", "application/octet-stream"

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)

KINDS = {"voices": UploadKind.VOICE, "presenters": UploadKind.PRESENTER}


def routes() -> list[Route]:
    """Clips and uploads answer to Range, so that players can jump."""
    return [
        Route("/files/clips/{voice}/{presenter}.mp4", _clip),
        Route("/files/strips/{voice}/{presenter}.jpg", _strip),
        Route("/files/pictures/{key}.jpg", _picture),
        Route("/files/troubles/{key}.jpg", _trouble),
        Route("/files/subtitles/{key}.vtt", _subtitles),
        Route("/files/samples/{key}.wav", _sample),
        Route("/files/{kind}/{key}", _upload),
        Route("/archive.zip", _archive),
    ]


def _key(request: Request, name: str) -> str:
    """A partition key of the address; what can be none, such as a path, is not there."""
    key = request.path_params[name]
    if partition_key(key) != key:
        raise HTTPException(404)
    return key


def sent(request: Request, path: Path, name: str | None = None) -> Response:
    """A file; one that is not there, or outside the data folder, is not found. name: saved under it."""
    if not path.is_file() or leads_out(path, studio_of(request).folders.root):
        raise HTTPException(404)
    headers = SANDBOX | (KEPT if "v" in request.query_params else {})
    return FileResponse(path, headers=headers, filename=name)


async def sent_stored(request: Request, path: Path, name: str | None = None) -> Response:
    """As ``sent``, of what runs have made, wherever the cluster keeps it."""
    files = studio_of(request).folders.files
    if isinstance(files, LocalFiles):
        return sent(request, path, name)
    stored = await run_in_threadpool(files.find, path)
    if stored is None:
        raise HTTPException(404)
    # For its headers alone: how a name of any script is written.
    headers = (
        dict(FileResponse(path, filename=name).headers) if name else {"content-type": guess_type(path)[0] or BYTES}
    )
    headers |= SANDBOX | (KEPT if "v" in request.query_params else {})
    return await _sent_in_parts(request, _StoredContent(files, stored), headers, headers.pop("content-type"))


@dataclass(frozen=True)
class _StoredContent:
    """A file of the store, read where it is asked for."""

    files: FileStore
    stored: StoredFile

    @property
    def length(self) -> int:
        return self.stored.size

    @property
    def mark(self) -> str:
        return f"{self.stored.modified:x}-{self.stored.size:x}"

    def pieces(self, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        return self.files.read(self.stored.path, first, self.length if last is None else last + 1)


async def _clip(request: Request) -> Response:
    clip = named_clip(request)
    name = None
    if "download" in request.query_params:
        pattern = checked_pattern(request.query_params.get("names", ""))
        title = await run_in_threadpool(_title_of, studio_of(request), request.query_params.get("batch", EVERYTHING))
        ((_, inside),) = names_of([clip], pattern, title)
        name = inside.rpartition("/")[2]
    return await sent_stored(request, studio_of(request).folders.clip(clip), name)


async def _strip(request: Request) -> Response:
    return await sent_stored(request, studio_of(request).folders.filmstrip(named_clip(request)))


async def _upload(request: Request) -> Response:
    kind = KINDS.get(request.path_params["kind"])
    uploads, key = studio_of(request).snapshot.uploads, _key(request, "key")
    if kind is UploadKind.VOICE and key in uploads.known(UploadKind.SCRIPT):
        return await sent_stored(request, uploads.folders.spoken(key))
    upload = uploads.known(kind).get(key) if kind else None
    if kind is None or upload is None:
        raise HTTPException(404)
    return sent(request, uploads.folder(kind) / upload.file)


async def _subtitles(request: Request) -> Response:
    return await sent_stored(request, studio_of(request).folders.voice_text(_key(request, "key"), ".vtt"))


async def _sample(request: Request) -> Response:
    return sent(request, studio_of(request).folders.voice_sample(_key(request, "key")))


async def _picture(request: Request) -> Response:
    return sent(request, picture_of(_first_look(request)))


async def _trouble(request: Request) -> Response:
    return sent(request, trouble_of(_first_look(request)))


def _first_look(request: Request) -> Path:
    studio = studio_of(request)
    upload = studio.snapshot.uploads.known(UploadKind.PRESENTER).get(_key(request, "key"))
    if upload is None:
        raise HTTPException(404)
    return studio.folders.first_look(UploadKind.PRESENTER, upload.file)


async def _archive(request: Request) -> Response:
    """The finished clips of a batch, or of one voice or presenter in it; if wished, with those kept beside them."""
    wanted = request.query_params
    return await archive(
        request,
        wanted.get("batch", EVERYTHING),
        wanted.get("voice"),
        wanted.get("presenter"),
        wanted.get("names", ""),
        "earlier" in wanted,
    )


async def archive(
    request: Request,
    batch: str,
    voice: str | None = None,
    presenter: str | None = None,
    names: str = "",
    earlier: bool = False,
) -> Response:
    """A ZIP, made while it is sent. names: the pattern of the clips' names. earlier: with the clips kept beside."""
    studio = studio_of(request)
    found = await studio.snapshot.plan()
    clips = _finished(found, batch, voice, presenter)
    pattern = checked_pattern(names)
    batch_title = await run_in_threadpool(_title_of, studio, batch)
    named = names_of(clips, pattern, batch_title)
    every = [(name, studio.folders.clip(clip)) for clip, name in named]
    texts = set(await run_in_threadpool(studio.folders.files.names, studio.folders.voice_text("any", "").parent))
    every += [
        (f"{name.removesuffix('.mp4')}{suffix}", path)
        for clip, name in named
        for suffix in (".srt", ".vtt")
        if (path := studio.folders.voice_text(clip.voice, suffix)).name in texts
    ]
    if earlier:
        every += [
            (earlier_name(name, one.number), one.path(studio.folders))
            for clip, name in named
            for one in earlier_of(studio.folders, clip)
        ]
    files = [(name, path) for name, path in every if not leads_out(path, studio.folders.root)]
    made = await run_in_threadpool(StreamedArchive, files, studio.folders.files)
    if not made:
        raise HTTPException(404)
    title = voice or presenter or batch_title or "clips"
    disposition = FileResponse(files[0][1], filename=f"{partition_key(title)}.zip").headers["content-disposition"]
    return await _sent_in_parts(request, made, {"content-disposition": disposition}, ZIP)


async def _sent_in_parts(
    request: Request, made: StreamedArchive | _StoredContent, headers: dict[str, str], media_type: str
) -> Response:
    """The whole of it, or the one part that is asked for (RFC 9110, 14): who asks for several gets the whole."""
    tag = f'"{made.mark}"'
    headers |= {"accept-ranges": "bytes", "etag": tag}
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    first, last = (asked and asked[1]) or "", (asked and asked[2]) or ""
    if request.headers.get("if-range", tag) != tag or not (first or last):
        headers["content-length"] = str(made.length)
        if request.method == "HEAD":
            return Response(media_type=media_type, headers=headers)
        return await _begun(made.pieces(), 200, headers, media_type)
    begin = int(first) if first else max(0, made.length - int(last))
    end = min(int(last), made.length - 1) if first and last else made.length - 1
    if begin > end:
        return Response(status_code=416, headers={"content-range": f"bytes */{made.length}"})
    headers |= {"content-range": f"bytes {begin}-{end}/{made.length}", "content-length": str(end - begin + 1)}
    return await _begun(made.pieces(begin, end), 206, headers, media_type)


async def _begun(pieces: Iterator[bytes], status: int, headers: dict[str, str], media_type: str) -> Response:
    """Sent when the first piece is there: where the store does not answer, a sentence comes instead of a torn file."""
    try:
        first = await run_in_threadpool(next, pieces, b"")
    except FileNotFoundError as error:
        raise HTTPException(404) from error
    return StreamingResponse(chain((first,), pieces), status, headers, media_type)


def _title_of(studio: Studio, batch: str) -> str:
    """What people call a batch; "" where it has no name."""
    campaigns = load_campaigns(studio.folders.campaigns, default_render_spec(studio.settings)).usable
    return next((campaign.title for campaign in campaigns if campaign.name == batch), "")


def _finished(found: Plan, batch: str, voice: str | None, presenter: str | None) -> Iterator[ClipKey]:
    for clip, status in found.clips.items():
        names = [campaign.name for campaign in found.wanting[clip]] or [EVERYTHING]
        if (
            status.state is State.DONE
            and batch in names
            and (voice is None or voice == clip.voice)
            and (presenter is None or presenter == clip.presenter)
        ):
            yield clip
