"""Previews in the page: asked for, watched, and played. Runs make them, never the page's process."""

from typing import Annotated, Any

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from heygem_pipeline.clip.excerpt import Stretch
from heygem_pipeline.clip.render_spec import RenderSpec
from heygem_pipeline.planning.previews import LONGEST_SECONDS, ask_for_preview, preview_status
from heygem_pipeline.planning.status import State
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.studio.batches import LABELS, LOUDNESS, QUALITIES, SUBTITLES, usable_engines, usual_loudness
from heygem_pipeline.studio.files import sent_stored
from heygem_pipeline.studio.forms import Form, Key, body_of, named_clip
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import Studio, studio_of
from heygem_pipeline.studio.texts import language_of, message_json
from heygem_pipeline.uploads.registry import UploadKind


class PreviewRequest(Form):
    """Show these seconds of this pair."""

    voice: Key
    presenter: Key
    begin: Annotated[float, Field(ge=0, le=24 * 3600)] = 0.0
    seconds: Annotated[float, Field(ge=1, le=LONGEST_SECONDS)] = 5.0
    quality: str = "standard"
    label: str = "start"
    engine: str = ""
    subtitles: str = ""
    loudness: str = ""


def api_routes() -> list[Route]:
    """Below ``/api``."""
    return [Route("/previews", _ask, methods=["POST"]), Route("/previews/{voice}/{presenter}", _where)]


def file_routes() -> list[Route]:
    """Answers to Range, as clips do."""
    return [Route("/files/previews/{voice}/{presenter}.mp4", _file)]


async def _ask(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, PreviewRequest)
    await run_in_threadpool(_take, studio, wanted)
    return JSONResponse({})


def _take(studio: Studio, wanted: PreviewRequest) -> None:
    settings, uploads = studio.settings, studio.snapshot.uploads
    engine = wanted.engine or settings.engine
    subtitles = wanted.subtitles or settings.subtitles.value
    loudness = wanted.loudness or usual_loudness(settings)
    known = wanted.quality in QUALITIES and wanted.label in LABELS and subtitles in SUBTITLES and loudness in LOUDNESS
    if not known or engine not in usable_engines(settings):
        raise Refusal("unknown_choice")
    clip = ClipKey(wanted.voice, wanted.presenter)
    if clip.voice not in uploads.voices() or clip.presenter not in uploads.known(UploadKind.PRESENTER):
        raise Refusal("not_there", 404)
    usual = settings.of_clip
    chosen = QUALITIES[wanted.quality] | LABELS[wanted.label] | SUBTITLES[subtitles] | LOUDNESS[loudness]
    made_with = usual.model_validate(usual.model_dump() | chosen)
    stretch = Stretch(wanted.seconds, wanted.begin)
    ask_for_preview(studio.instance, studio.folders, clip, stretch, RenderSpec(engine, made_with))


async def _where(request: Request) -> Response:
    """Where the preview of a pair stands; ``null`` where nobody asked for one."""
    studio, clip = studio_of(request), named_clip(request)
    status = await run_in_threadpool(preview_status, studio.instance, studio.folders, clip)
    if status is None:
        return JSONResponse(None)
    told: dict[str, Any] = {"state": status.state.value}
    if status.reason is not None:
        told["why"] = message_json(status.reason, language_of(request), studio.folders.root)
    if status.share is not None:
        told["share"] = round(status.share, 3)
    if status.state is State.DONE:
        stored = await run_in_threadpool(studio.folders.files.find, studio.folders.preview(clip))
        if stored is None:
            return JSONResponse(None)
        told["mark"] = f"{stored.modified // 10**6:x}"
    return JSONResponse(told)


async def _file(request: Request) -> Response:
    return await sent_stored(request, studio_of(request).folders.preview(named_clip(request)))
