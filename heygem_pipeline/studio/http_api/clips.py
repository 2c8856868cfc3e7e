"""Single clips by ``/api/v1``: where they stand, fetch, cancel, try again, their log."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.retry_and_cancel import cancel, try_again
from heygem_pipeline.storage.clip_key import ClipKey, partition_of
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.studio.actions import make_now
from heygem_pipeline.studio.api import facts_of_clip
from heygem_pipeline.studio.clip_log import log_of
from heygem_pipeline.studio.download_names import USUAL_PATTERN, names_of
from heygem_pipeline.studio.files import sent_stored
from heygem_pipeline.studio.http_api.schema import Clip, ClipFacts, ClipStanding, ClipState, RunLog, SeveralClips
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


@router.post("/retry", summary="Try several again")
async def retry_clips(wanted: SeveralClips, request: Request, studio: TheStudio) -> list[ClipStanding]:
    """Those that have failed, were cancelled, or were removed for their age."""
    found = await studio.snapshot.plan()
    await run_in_threadpool(try_again, studio.folders, found, _wanted(found, wanted))
    return await _standings(studio, wanted, language_of(request))


@router.post("/make", summary="Make several now")
async def make_clips(wanted: SeveralClips, request: Request, studio: TheStudio) -> list[ClipStanding]:
    """Without waiting for the time of their campaign, and again where they have failed; finished ones stay."""
    found = await studio.snapshot.plan()
    await run_in_threadpool(make_now, studio.folders, found, _wanted(found, wanted))
    return await _standings(studio, wanted, language_of(request))


@router.post("/cancel", summary="Make none of several")
async def cancel_clips(wanted: SeveralClips, request: Request, studio: TheStudio) -> list[ClipStanding]:
    """What is under way is stopped; finished ones stay."""
    found = await studio.snapshot.plan()
    await run_in_threadpool(cancel, studio.instance, studio.folders, found, _wanted(found, wanted))
    return await _standings(studio, wanted, language_of(request))


@router.get("/{voice}/{presenter}", summary="Where a clip stands")
async def clip(named: TheClip, request: Request, studio: TheStudio) -> Clip:
    """With what was measured on it, once it is finished."""
    return await _standing(studio, named, language_of(request))


@router.get("/{voice}/{presenter}/file", summary="The finished clip", response_class=Response, responses=FILE)
async def file(named: TheClip, request: Request, studio: TheStudio) -> Response:
    """An MP4. By Range too, so that a download that broke off goes on."""
    path = studio.folders.clip(named)
    if await run_in_threadpool(studio.folders.files.find, path) is None:
        raise Refusal("not_made", 404, name=str(named))
    ((_, name),) = names_of([named], USUAL_PATTERN, "")
    return await sent_stored(request, path, name)


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


def _wanted(found: Plan, named: SeveralClips) -> list[ClipKey]:
    """Those of the named clips that are wanted still."""
    return [clip for one in named.clips if (clip := ClipKey(one.voice, one.presenter)) in found.clips]


async def _standings(studio: Studio, named: SeveralClips, language: str) -> list[ClipStanding]:
    studio.snapshot.expire()
    known = (await studio.snapshot.shown(language))["clips"]
    keys = (partition_of(one.voice, one.presenter) for one in named.clips)
    return [ClipStanding(**known[key]) for key in keys if key in known]


async def _standing(studio: Studio, named: ClipKey, language: str) -> Clip:
    shown = await studio.snapshot.shown(language)
    known = shown["clips"].get(named.partition)
    if known is None:
        raise Refusal("no_clip", 404, voice=named.voice, presenter=named.presenter)
    facts = await run_in_threadpool(facts_of_clip, studio.folders, named, language)
    return Clip(**known, facts=None if facts is None else ClipFacts(**facts))
