"""What only the page asks for and wants done, JSON in, JSON out, and what it shares with ``/api/v1``."""

from typing import Annotated, Any, Literal

import langcodes
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from heygem_pipeline.clip.sidecar import is_photograph, write_face, write_make_anyway, write_moving, write_trim
from heygem_pipeline.faces.boxes import FacePlace
from heygem_pipeline.media.trim import LARGEST_SECONDS, Trim
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.retry_and_cancel import try_again
from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio import actions
from heygem_pipeline.studio.batches import BatchChange, BatchSpec, usual_loudness
from heygem_pipeline.studio.clip_log import without_paths
from heygem_pipeline.studio.files import KINDS
from heygem_pipeline.studio.forms import LARGEST_REQUEST, Form, Key, Keys, Line, body_of
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.scripts import WrittenScript, script_text, speakers, write_script, write_text_beside
from heygem_pipeline.studio.shared_state import Studio, studio_of
from heygem_pipeline.studio.texts import language_of, sentence_of
from heygem_pipeline.uploads.registry import UploadKind
from heygem_pipeline.uploads.tags import TaggedKind, Tags
from heygem_pipeline.uploads.voice_languages import languages_of, note_language
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
        Route("/anyway", _make_anyway, methods=["POST"]),
        Route("/scripts", _write_script, methods=["POST"]),
        Route("/scripts/{key}", _script),
        Route("/texts", _text_of_recording, methods=["POST"]),
        Route("/speakers", _speakers),
        Route("/speakers/sample", _sample, methods=["POST"]),
        Route("/face", _choose_face, methods=["POST"]),
        Route("/language", _language, methods=["POST"]),
        Route("/tags", _tag, methods=["POST"]),
        Route("/part", _use_part, methods=["POST"]),
    ]


async def _shown(request: Request) -> Response:
    studio = studio_of(request)
    shown = await studio.snapshot.shown(language_of(request))
    tag = f'"{shown["version"]}"'
    if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return JSONResponse(shown, headers={"etag": tag})


async def _make_anyway(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, AnywayRequest)
    path = await run_in_threadpool(studio.snapshot.uploads.find, UploadKind.PRESENTER, wanted.presenter)
    await run_in_threadpool(write_make_anyway, path)
    studio.first_looks.forget(UploadKind.PRESENTER, path)
    studio.first_looks.want(UploadKind.PRESENTER, path)
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
        await run_in_threadpool(studio.require_campaigns_at_first)
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
    path = await run_in_threadpool(studio.snapshot.uploads.find, UploadKind.PRESENTER, wanted.presenter)
    place = None if wanted.place is None else FacePlace(*(round(share, 3) for share in wanted.place))
    await run_in_threadpool(write_face, path, place)
    return _settled(studio)


async def set_moving(studio: Studio, presenter: str, moving: bool) -> None:
    """Write it into a photograph's sidecar. Raises Refusal for what is none."""
    path = await run_in_threadpool(studio.snapshot.uploads.find, UploadKind.PRESENTER, presenter)
    if not is_photograph(path):
        raise Refusal("no_photograph", name=path.name)
    await run_in_threadpool(write_moving, path, moving)
    studio.first_looks.forget(UploadKind.PRESENTER, path)
    studio.first_looks.want(UploadKind.PRESENTER, path)
    studio.snapshot.expire()


async def _language(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, LanguageRequest)
    if wanted.language and not langcodes.tag_is_valid(wanted.language):
        raise Refusal("unknown_choice")
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
    if kind is UploadKind.VOICE and key in uploads.known(UploadKind.SCRIPT):
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


async def change_batch(studio: Studio, wanted: ChangeRequest) -> str:
    """Change this batch; return its name, which follows what it is called."""
    title = None if wanted.title is None else " ".join(wanted.title.split())
    wish = BatchChange(title, wanted.quality, wanted.label, wanted.engine, wanted.subtitles, wanted.loudness)
    whose = studio.instance, studio.folders, studio.settings
    name = await run_in_threadpool(actions.change_batch, *whose, wanted.name, wish, wanted.beside)
    studio.snapshot.expire()
    return name


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


def _settled(studio: Studio) -> Response:
    studio.snapshot.expire()
    return JSONResponse({})
