"""What the page asks for and what it wants done: JSON in, JSON out."""

from typing import Annotated, Any, Literal
from urllib.parse import unquote

import langcodes
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from heygem_pipeline.clip.sidecar import is_photograph, write_face, write_make_anyway, write_moving, write_trim
from heygem_pipeline.faces.boxes import FacePlace
from heygem_pipeline.media.trim import LARGEST_SECONDS, Trim
from heygem_pipeline.messages.message import Message
from heygem_pipeline.operations.erasure import ErasureTarget
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.retry_and_cancel import cancel, try_again
from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio import actions
from heygem_pipeline.studio.access import person_of
from heygem_pipeline.studio.batches import BatchChange, BatchSpec, usual_loudness
from heygem_pipeline.studio.clip_log import log_of, without_paths
from heygem_pipeline.studio.files import KINDS
from heygem_pipeline.studio.forms import LARGEST_REQUEST, Form, Key, Keys, Line, body_of, named_clip
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.scripts import WrittenScript, script_text, speakers, write_script, write_text_beside
from heygem_pipeline.studio.shared_state import Studio, studio_of
from heygem_pipeline.studio.texts import language_of, sentence_of
from heygem_pipeline.studio.uploads import bring_in
from heygem_pipeline.studio.voice_languages import note_language
from heygem_pipeline.uploads.registry import UploadKind
from heygem_pipeline.uploads.tags import TaggedKind, Tags
from heygem_pipeline.uploads.voice_languages import languages_of
from heygem_pipeline.web.http_client import LONGEST_ADDRESS

TagList = Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=100)]

Seconds = Annotated[float, Field(ge=0, le=LARGEST_SECONDS)]

Share = Annotated[float, Field(ge=0, le=1)]
"""Of a picture's width or height."""


class BatchRequest(Form):
    """Make these."""

    title: Annotated[str, Field(max_length=200)]
    voices: Keys
    presenters: Keys
    quality: str = "standard"
    label: str = "start"
    subtitles: str = ""
    loudness: str = ""
    engine: str = ""
    webhook: Annotated[str, Field(max_length=LONGEST_ADDRESS)] = ""


class ChangeRequest(Form):
    """Call this batch something else, or make its clips in another way: instead, or beside what is finished."""

    name: Key
    title: Annotated[str, Field(max_length=200)] | None = None
    quality: str | None = None
    label: str | None = None
    subtitles: str | None = None
    loudness: str | None = None
    engine: str | None = None
    beside: bool = False


class EndRequest(Form):
    """Delete these batches."""

    names: Keys
    clips: bool = False


class ClipsRequest(Form):
    """Try these again, make them now, or cancel them: "voice|presenter"."""

    clips: Keys


class DeleteRequest(Form):
    """Delete these uploads, and the clips made of them."""

    kind: Literal["voices", "presenters"]
    keys: Keys


class AnywayRequest(Form):
    """Make clips with this presenter, however far the head is turned."""

    presenter: Key


class ScriptRequest(Form):
    """Store this script, in place of the one of this key, or as a new one."""

    key: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=100)] = ""
    text: Annotated[str, Field(max_length=LARGEST_REQUEST)]
    language: Annotated[str, Field(max_length=35)] = ""
    engine: Line = ""
    voice: Line = ""


class TextRequest(Form):
    """This is what is said in this recording."""

    voice: Key
    ending: Literal[".srt", ".vtt", ".txt"]
    text: Annotated[str, Field(max_length=LARGEST_REQUEST)]


class SampleRequest(Form):
    """How does this voice sound?"""

    engine: Line = ""
    voice: Line = ""
    language: Annotated[str, Field(max_length=35)] = ""


class FaceRequest(Form):
    """Of several faces this presenter shows, have the one at this place speak; without a place, the usual one."""

    presenter: Key
    place: tuple[Share, Share] | None = None


class MovingRequest(Form):
    """Have this photograph blink and move its head a little, or keep still."""

    presenter: Key
    moving: bool


class TagsRequest(Form):
    """Add these tags to these voices or presenters, and take those away."""

    kind: TaggedKind
    keys: Keys
    add: TagList = ()
    remove: TagList = ()


class PartRequest(Form):
    """Use this voice or presenter from this second to that one; without an end, to its end."""

    kind: TaggedKind
    key: Key
    start: Seconds = 0.0
    end: Seconds | None = None


class LanguageRequest(Form):
    """This voice speaks this language."""

    voice: Key
    language: Annotated[str, Field(max_length=35)]


def routes() -> list[Route]:
    """Below ``/api``."""
    return [
        Route("/shown", _shown),
        Route("/uploads/{kind}/{name:path}", _upload, methods=["PUT"]),
        Route("/delete", _delete, methods=["POST"]),
        Route("/anyway", _make_anyway, methods=["POST"]),
        Route("/scripts", _write_script, methods=["POST"]),
        Route("/scripts/{key}", _script),
        Route("/texts", _text_of_recording, methods=["POST"]),
        Route("/speakers", _speakers),
        Route("/speakers/sample", _sample, methods=["POST"]),
        Route("/face", _choose_face, methods=["POST"]),
        Route("/moving", _moving, methods=["POST"]),
        Route("/language", _language, methods=["POST"]),
        Route("/tags", _tag, methods=["POST"]),
        Route("/part", _use_part, methods=["POST"]),
        Route("/batches", _begin, methods=["POST"]),
        Route("/batches/change", _change, methods=["POST"]),
        Route("/batches/end", _end, methods=["POST"]),
        Route("/clips/retry", _retry, methods=["POST"]),
        Route("/clips/make", _make_now, methods=["POST"]),
        Route("/clips/cancel", _cancel, methods=["POST"]),
        Route("/clips/{voice}/{presenter}", _clip),
        Route("/clips/{voice}/{presenter}/log", _log),
    ]


async def _shown(request: Request) -> Response:
    studio = studio_of(request)
    shown = await studio.snapshot.shown(language_of(request))
    tag = f'"{shown["version"]}"'
    if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return JSONResponse(shown, headers={"etag": tag})


async def _upload(request: Request) -> Response:
    studio, kind = studio_of(request), {**KINDS, "scripts": UploadKind.SCRIPT}.get(request.path_params["kind"])
    length = request.headers.get("content-length", "")
    if kind is None:
        raise HTTPException(404)
    if not length.isdigit():
        raise HTTPException(411)
    person = person_of(request, studio.rules.proxies)
    name, replaced = unquote(request.path_params["name"]), request.query_params.get("replace", "")
    path = await bring_in(studio, person, kind, name, int(length), request.stream(), replaced)
    return JSONResponse({"file": path.name})


async def _delete(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, DeleteRequest)
    voices = wanted.kind == "voices"
    whom = [ErasureTarget(key if voices else None, None if voices else key) for key in wanted.keys]
    await run_in_threadpool(actions.delete_uploads, studio.instance, studio.folders, whom)
    return _settled(studio)


async def _make_anyway(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, AnywayRequest)
    path = await run_in_threadpool(studio.snapshot.uploads.find, UploadKind.TEMPLATE, wanted.presenter)
    await run_in_threadpool(write_make_anyway, path)
    studio.first_looks.forget(UploadKind.TEMPLATE, path)
    studio.first_looks.want(UploadKind.TEMPLATE, path)
    found = await studio.snapshot.plan()
    theirs = [clip for clip in found.clips if clip.presenter == wanted.presenter]
    await run_in_threadpool(try_again, studio.folders, found, theirs)
    return _settled(studio)


async def _write_script(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, ScriptRequest)
    if wanted.language and not langcodes.tag_is_valid(wanted.language):
        raise Refusal("unknown_choice")
    written = WrittenScript(**wanted.model_dump())
    path = await run_in_threadpool(write_script, studio.snapshot.uploads, studio.settings, written)
    if not wanted.key:
        await run_in_threadpool(studio.wait_for_the_button)
    studio.first_looks.want(UploadKind.SCRIPT, path, new=True)
    studio.snapshot.expire()
    return JSONResponse({"file": path.name})


async def _text_of_recording(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, TextRequest)
    path = await run_in_threadpool(write_text_beside, studio.snapshot.uploads, wanted.voice, wanted.ending, wanted.text)
    studio.snapshot.expire()
    return JSONResponse({"file": path.name})


async def _script(request: Request) -> Response:
    key = request.path_params["key"]
    return JSONResponse(await run_in_threadpool(script_text, studio_of(request).snapshot.uploads, key))


async def _speakers(request: Request) -> Response:
    studio, language = studio_of(request), language_of(request)
    found = await run_in_threadpool(speakers, studio.settings)
    root = studio.folders.root
    return JSONResponse(
        [
            {
                "engine": one.engine,
                "voice": one.voice.name,
                "language": one.voice.language,
                "lack": without_paths(sentence_of(one.lack, language), root) if one.lack else "",
            }
            for one in found
        ]
    )


async def _sample(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, SampleRequest)
    return JSONResponse({"sample": await studio.voice_samples.make(wanted.engine, wanted.voice, wanted.language)})


async def _choose_face(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, FaceRequest)
    path = await run_in_threadpool(studio.snapshot.uploads.find, UploadKind.TEMPLATE, wanted.presenter)
    place = None if wanted.place is None else FacePlace(*(round(share, 3) for share in wanted.place))
    await run_in_threadpool(write_face, path, place)
    return _settled(studio)


async def set_moving(studio: Studio, presenter: str, moving: bool) -> None:
    """Write it into a photograph's sidecar. Raises Refusal for what is none."""
    path = await run_in_threadpool(studio.snapshot.uploads.find, UploadKind.TEMPLATE, presenter)
    if not is_photograph(path):
        raise Refusal("no_photograph", name=path.name)
    await run_in_threadpool(write_moving, path, moving)
    studio.first_looks.forget(UploadKind.TEMPLATE, path)
    studio.first_looks.want(UploadKind.TEMPLATE, path)
    studio.snapshot.expire()


async def _moving(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, MovingRequest)
    await set_moving(studio, wanted.presenter, wanted.moving)
    return _settled(studio)


async def _language(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, LanguageRequest)
    await run_in_threadpool(note_language, studio.folders, wanted.voice, wanted.language)
    return _settled(studio)


async def _tag(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, TagsRequest)
    change = Tags(studio.folders).change
    await run_in_threadpool(change, wanted.kind, wanted.keys, wanted.add, wanted.remove)
    return _settled(studio)


async def _use_part(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, PartRequest)
    await use_part(studio, KINDS[wanted.kind], wanted.key, wanted.start, wanted.end)
    return _settled(studio)


async def use_part(studio: Studio, kind: UploadKind, key: str, start: float = 0.0, end: float | None = None) -> None:
    """Have an upload used from a second to another. Raises UploadMissing, Refusal, SidecarWrong."""
    uploads = studio.snapshot.uploads
    if kind is UploadKind.AUDIO and key in uploads.known(UploadKind.SCRIPT):
        raise Refusal("part_of_script", name=key)
    path = await run_in_threadpool(uploads.find, kind, key)
    try:
        trim = Trim.of(start, end)
    except ValueError as error:
        raise Refusal("part") from error
    await run_in_threadpool(write_trim, path, trim)
    studio.first_looks.forget(kind, path)
    studio.first_looks.want(kind, path)


async def begin_batch(studio: Studio, wanted: BatchRequest) -> str:
    """Have these clips made; return the batch's name."""
    wish = BatchSpec(
        title=" ".join(wanted.title.split()),
        voices=wanted.voices,
        presenters=wanted.presenters,
        quality=wanted.quality,
        label=wanted.label,
        engine=wanted.engine or studio.settings.engine,
        languages=languages_of(studio.folders),
        webhook=wanted.webhook,
        subtitles=wanted.subtitles or studio.settings.subtitles.value,
        loudness=wanted.loudness or usual_loudness(studio.settings),
    )
    name = await run_in_threadpool(actions.begin_batch, studio.instance, studio.folders, studio.settings, wish)
    studio.snapshot.expire()
    return name


async def _begin(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, BatchRequest)
    name = await begin_batch(studio, wanted)
    return JSONResponse({"name": name})


async def change_batch(studio: Studio, wanted: ChangeRequest) -> str:
    """Change this batch; return its name, which follows what it is called."""
    title = None if wanted.title is None else " ".join(wanted.title.split())
    wish = BatchChange(title, wanted.quality, wanted.label, wanted.engine, wanted.subtitles, wanted.loudness)
    whose = studio.instance, studio.folders, studio.settings
    name = await run_in_threadpool(actions.change_batch, *whose, wanted.name, wish, wanted.beside)
    studio.snapshot.expire()
    return name


async def _change(request: Request) -> Response:
    name = await change_batch(studio_of(request), await body_of(request, ChangeRequest))
    return JSONResponse({"name": name})


async def _end(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, EndRequest)
    await run_in_threadpool(
        actions.end_batches, studio.instance, studio.folders, studio.settings, wanted.names, wanted.clips
    )
    return _settled(studio)


async def _retry(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, ClipsRequest)
    found = await studio.snapshot.plan()
    await run_in_threadpool(try_again, studio.folders, found, _clips(wanted, found))
    return _settled(studio)


async def _make_now(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, ClipsRequest)
    found = await studio.snapshot.plan()
    await run_in_threadpool(actions.make_now, studio.folders, found, _clips(wanted, found))
    return _settled(studio)


async def _cancel(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, ClipsRequest)
    found = await studio.snapshot.plan()
    await run_in_threadpool(cancel, studio.instance, studio.folders, found, _clips(wanted, found))
    return _settled(studio)


def _clips(wanted: ClipsRequest, found: Plan) -> list[ClipKey]:
    """Those of the named clips that are wanted still."""
    return [clip for key in wanted.clips if (clip := ClipKey.from_partition(key)) in found.clips]


async def _clip(request: Request) -> Response:
    clip, language = named_clip(request), language_of(request)
    return JSONResponse(await run_in_threadpool(facts_of_clip, studio_of(request).folders, clip, language))


def facts_of_clip(folders: DataFolders, clip: ClipKey, language: str) -> dict[str, Any] | None:
    """What is known of a finished clip; None of another."""
    report = finished_report(folders, clip)
    if report is None:
        return None
    root = folders.root

    def said(message: Message) -> str:
        return without_paths(sentence_of(message, language), root)

    return {
        "seconds": report.duration,
        "width": report.width,
        "height": report.height,
        "fps": round(report.fps, 2),
        "subtitles": report.subtitles,
        "loudness": report.loudness,
        "synthetic_voice": report.synthetic_voice,
        "bytes": report.bytes,
        "made": report.made_at,
        "engine": f"{report.engine} {report.engine_version}",
        "took": round(report.own_seconds, 1),
        "checks": [
            {"name": check.name, "verdict": check.verdict.value, "sentence": said(check.message)}
            for check in report.checks
        ],
        "warnings": [said(warning) for warning in report.warnings],
    }


async def _log(request: Request) -> Response:
    studio = studio_of(request)
    return JSONResponse(await run_in_threadpool(log_of, studio.instance, studio.folders, named_clip(request)))


def _settled(studio: Studio) -> Response:
    studio.snapshot.expire()
    return JSONResponse({})
