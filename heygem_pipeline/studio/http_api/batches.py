"""Batches by ``/api/v1``: ask for clips, watch, change, cancel, try again, fetch the ZIP, delete."""

from asyncio import sleep
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.retry_and_cancel import cancel, try_again
from heygem_pipeline.planning.status import State
from heygem_pipeline.storage.clip_key import ClipKey, partition_of
from heygem_pipeline.studio import actions
from heygem_pipeline.studio.api import BatchRequest, ChangeRequest, begin_batch, change_batch
from heygem_pipeline.studio.files import archive
from heygem_pipeline.studio.http_api.idempotency import IdempotencyKey, StoredAnswers, whole_digest_of
from heygem_pipeline.studio.http_api.schema import Batch, BatchChanges, BatchStanding, ClipStanding, NewBatch
from heygem_pipeline.studio.http_api.uploads import TheStudio, require_known
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import Studio, studio_of
from heygem_pipeline.studio.snapshot import SECONDS_BETWEEN_READINGS
from heygem_pipeline.studio.texts import language_of

SECONDS_OF_A_STREAM = 900.0
"""Then it ends and is begun anew, which clients do by themselves; so a token that was withdrawn sees no more."""

SETTLED = (State.DONE, State.FAILED, State.REMOVED)


async def _existing(name: str, request: Request) -> str:
    """The name of a batch that is there. Raises Refusal."""
    await _standing(studio_of(request), name, language_of(request))
    return name


TheBatch = Annotated[str, Depends(_existing)]


def routes(answers: StoredAnswers) -> APIRouter:
    """answers: of requests that may be sent twice."""
    router = APIRouter(prefix="/batches", tags=["Batches"])

    @router.get("", summary="All batches")
    async def batches(request: Request, studio: TheStudio) -> list[BatchStanding]:
        shown = await studio.snapshot.shown(language_of(request))
        return [BatchStanding(**_batch_values(shown, batch)) for batch in shown["batches"] if batch["name"]]

    @router.post("", summary="Ask for clips", status_code=201, response_model=Batch)
    async def begin(
        wanted: NewBatch, request: Request, studio: TheStudio, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Every voice with every presenter. One voice and one presenter make one clip."""
        asked = await whole_digest_of(request)
        with answers.idempotent(request, idempotency_key) as once:
            if (before := once.earlier(asked)) is not None:
                return before
            require_known(studio, "voices", wanted.voices)
            require_known(studio, "presenters", wanted.presenters)
            name = await begin_batch(studio, BatchRequest(**wanted.model_dump(exclude_none=True)))
            told = Batch(**await _standing(studio, name, language_of(request)))
            where = quote(request.url_for("batch", name=name).path)
            return once.answer(asked, 201, told.model_dump(mode="json"), where)

    @router.get("/{name}", summary="Where a batch stands")
    async def batch(name: str, request: Request, studio: TheStudio) -> Batch:
        return Batch(**await _standing(studio, name, language_of(request)))

    @router.patch("/{name}", summary="Call it something else, or have its clips made in another way")
    async def change(name: TheBatch, wanted: BatchChanges, request: Request, studio: TheStudio) -> Batch:
        """Its ``name`` follows its title: go on with the one that is answered."""
        new = await change_batch(studio, ChangeRequest(name=name, **wanted.model_dump()))
        return Batch(**await _standing(studio, new, language_of(request)))

    @router.delete("/{name}", summary="Delete it; what is under way of it is cancelled", status_code=204)
    async def delete(name: TheBatch, studio: TheStudio, clips: bool = False) -> None:
        """``clips``: its finished clips too, unless another batch has them."""
        await run_in_threadpool(
            actions.end_batches, studio.instance, studio.folders, studio.settings, [name], with_clips=clips
        )
        studio.snapshot.expire()

    @router.post("/{name}/cancel", summary="Make none of its clips that are not finished")
    async def cancel_batch(name: TheBatch, request: Request, studio: TheStudio) -> Batch:
        found = await studio.snapshot.plan()
        await run_in_threadpool(cancel, studio.instance, studio.folders, found, _clips_of(found, name))
        studio.snapshot.expire()
        return Batch(**await _standing(studio, name, language_of(request)))

    @router.post("/{name}/retry", summary="Try again what of it has failed or was cancelled")
    async def retry_batch(name: TheBatch, request: Request, studio: TheStudio) -> Batch:
        found = await studio.snapshot.plan()
        await run_in_threadpool(try_again, studio.folders, found, _clips_of(found, name))
        studio.snapshot.expire()
        return Batch(**await _standing(studio, name, language_of(request)))

    @router.get("/{name}/events", summary="Watch it", response_class=EventSourceResponse)
    async def events(name: TheBatch, request: Request, studio: TheStudio) -> AsyncIterator[ServerSentEvent]:
        """Server-sent events: ``batch`` whenever something of it changes, ``finished`` when all is settled, and then
        the stream ends; ``gone`` where it was deleted or renamed. Each holds what ``/batches/{name}`` answers."""
        before, until = None, monotonic() + SECONDS_OF_A_STREAM
        while monotonic() < until:
            try:
                standing = Batch(**await _standing(studio, name, language_of(request)))
            except Refusal:
                yield ServerSentEvent(event="gone", data={"name": name})
                return
            if standing.finished:
                yield ServerSentEvent(event="finished", data=standing)
                return
            if standing != before:
                yield ServerSentEvent(event="batch", data=standing)
            before = standing
            await sleep(SECONDS_BETWEEN_READINGS)

    @router.get("/{name}/clips.zip", summary="A ZIP of its finished clips", response_class=Response)
    async def clips(name: TheBatch, request: Request, names: str = "") -> Response:
        """By Range too, so that a download that broke off goes on: with ``If-Range``, only where nothing has changed.

        ``names``: what the clips are called, ``{voice} - {presenter}`` unless said otherwise.
        """
        return await archive(request, name, names=names)

    return router


def _clips_of(found: Plan, name: str) -> list[ClipKey]:
    return [clip for clip, wanting in found.wanting.items() if any(campaign.name == name for campaign in wanting)]


async def _standing(studio: Studio, name: str, language: str) -> dict[str, Any]:
    """Raises Refusal."""
    shown = await studio.snapshot.shown(language)
    found = next((batch for batch in shown["batches"] if batch["name"] == name and name), None)
    if found is None:
        raise Refusal("no_batch", 404, name=name)
    return _batch_values(shown, found)


def _batch_values(shown: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
    known = shown["clips"]
    keys = (partition_of(voice, presenter) for voice in batch["voices"] for presenter in batch["presenters"])
    clips = [ClipStanding(**known[key]) for key in keys if key in known]
    counts = Counter(clip.state for clip in clips)
    finished = bool(clips) and sum(counts[state.value] for state in SETTLED) == len(clips)
    return dict(batch) | {"clips": clips, "counts": dict(counts), "finished": finished}
