"""Single clips by ``/api/v1``: where they stand, fetch, cancel, try again, their log."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from heygem_pipeline.planning.retry_and_cancel import cancel, try_again
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.studio.api import facts_of_clip
from heygem_pipeline.studio.clip_log import log_of
from heygem_pipeline.studio.file_names import USUAL_PATTERN, names_of
from heygem_pipeline.studio.files import sent
from heygem_pipeline.studio.http_api.schema import Clip, ClipFacts, ClipStanding, ClipState, RunLog
from heygem_pipeline.studio.http_api.uploads import TheStudio
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import Studio
from heygem_pipeline.studio.texts import language_of

FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}}
}


def _named(voice: str, presenter: str) -> ClipKey:
    """Raises Refusal for what can be no key, such as a path."""
    if partition_key(voice) != voice or partition_key(presenter) != presenter:
        raise Refusal("no_clip", 404, voice=voice, presenter=presenter)
    return ClipKey(voice, presenter)


TheClip = Annotated[ClipKey, Depends(_named)]

router = APIRouter(prefix="/clips", tags=["Clips"])


@router.get("", summary="All clips that are asked for")
async def clips(request: Request, studio: TheStudio, state: ClipState | None = None) -> list[ClipStanding]:
    """Those in one state, or all."""
    shown = await studio.snapshot.shown(language_of(request))
    return [ClipStanding(**clip) for clip in shown["clips"].values() if state in (None, clip["state"])]


@router.get("/{voice}/{presenter}", summary="Where a clip stands")
async def clip(named: TheClip, request: Request, studio: TheStudio) -> Clip:
    """With what was measured on it, once it is finished."""
    return await _standing(studio, named, language_of(request))


@router.get("/{voice}/{presenter}/file", summary="The finished clip", response_class=Response, responses=FILE)
async def file(named: TheClip, request: Request, studio: TheStudio) -> Response:
    """An MP4. By Range too, so that a download that broke off goes on."""
    path = studio.folders.clip(named)
    if not path.is_file():
        raise Refusal("not_made", 404, name=str(named))
    ((_, name),) = names_of([named], USUAL_PATTERN, "")
    return sent(request, path, name)


@router.post("/{voice}/{presenter}/cancel", summary="Do not make it")
async def cancel_clip(named: TheClip, request: Request, studio: TheStudio) -> Clip:
    """What is under way is stopped; until somebody asks for it, it is not begun again."""
    found = await studio.snapshot.plan()
    wanted = [named] if named in found.clips else []
    await run_in_threadpool(cancel, studio.instance, studio.folders, found, wanted)
    studio.snapshot.expire()
    return await _standing(studio, named, language_of(request))


@router.post("/{voice}/{presenter}/retry", summary="Try it again")
async def retry_clip(named: TheClip, request: Request, studio: TheStudio) -> Clip:
    """Where it has failed, was cancelled, or was removed for its age; else nothing is changed."""
    found = await studio.snapshot.plan()
    wanted = [named] if named in found.clips else []
    await run_in_threadpool(try_again, studio.folders, found, wanted)
    studio.snapshot.expire()
    return await _standing(studio, named, language_of(request))


@router.get("/{voice}/{presenter}/log", summary="Its log")
async def log(named: TheClip, studio: TheStudio) -> RunLog:
    """Or that of the voice or presenter that keeps it from being made."""
    return RunLog(**await run_in_threadpool(log_of, studio.instance, studio.folders, named))


async def _standing(studio: Studio, named: ClipKey, language: str) -> Clip:
    shown = await studio.snapshot.shown(language)
    known = shown["clips"].get(named.partition)
    if known is None:
        raise Refusal("no_clip", 404, voice=named.voice, presenter=named.presenter)
    facts = await run_in_threadpool(facts_of_clip, studio.folders, named, language)
    return Clip(**known, facts=None if facts is None else ClipFacts(**facts))
