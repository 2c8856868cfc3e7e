"""Clips that are kept beside those made in their place: listed, played, downloaded, deleted."""

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from heygem_pipeline.clip.render_spec import RenderSpec
from heygem_pipeline.operations.earlier_clips import EarlierClip, earlier_of, remove_earlier
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.studio.batches import words_for
from heygem_pipeline.studio.download_names import checked_pattern, earlier_name, names_of
from heygem_pipeline.studio.files import sent_stored
from heygem_pipeline.studio.forms import Form, Key, body_of, named_clip
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import Studio, studio_of


class ForgetRequest(Form):
    """Delete this one."""

    voice: Key
    presenter: Key
    number: int


def api_routes() -> list[Route]:
    """Below ``/api``."""
    return [Route("/earlier/{voice}/{presenter}", _listed), Route("/earlier/delete", _delete, methods=["POST"])]


def file_routes() -> list[Route]:
    """Answers to Range, as clips do."""
    return [Route("/files/earlier/{voice}/{presenter}/{number:int}.mp4", _file)]


async def _listed(request: Request) -> Response:
    return JSONResponse(await run_in_threadpool(_facts, studio_of(request), named_clip(request)))


def _facts(studio: Studio, clip: ClipKey) -> list[dict[str, Any]]:
    """What tells them apart, the newest first."""
    told = []
    for one in reversed(earlier_of(studio.folders, clip)):
        stored = studio.folders.files.find(one.path(studio.folders))
        if stored is None:
            continue
        report = one.report(studio.folders)
        facts = {
            "number": one.number,
            "made": stored.modified / 1e9,
            "bytes": stored.size,
            "mark": f"{stored.modified // 10**6:x}",
        }
        if report is not None:
            made = studio.settings.of_clip.model_validate(studio.settings.of_clip.model_dump() | report.made_with)
            facts |= words_for(RenderSpec(report.engine, made), studio.settings)
        told.append(facts)
    return told


async def _delete(request: Request) -> Response:
    studio, wanted = studio_of(request), await body_of(request, ForgetRequest)
    clip = ClipKey(wanted.voice, wanted.presenter)
    there = [one for one in await run_in_threadpool(earlier_of, studio.folders, clip) if one.number == wanted.number]
    if not there:
        raise Refusal("not_there", 404)
    await run_in_threadpool(remove_earlier, studio.folders, there)
    studio.snapshot.expire()
    return JSONResponse({})


async def _file(request: Request) -> Response:
    clip, number = named_clip(request), request.path_params["number"]
    path: Path = EarlierClip(clip, number).path(studio_of(request).folders)
    name = None
    if "download" in request.query_params:
        ((_, inside),) = names_of([clip], checked_pattern(request.query_params.get("names", "")), "")
        name = earlier_name(inside.rpartition("/")[2], number)
    return await sent_stored(request, path, name)
