"""Voices and presenters by ``/api/v1``: bring in, look at, replace, delete."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from heygem_pipeline.operations.erasure import ErasureTarget
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.studio import actions
from heygem_pipeline.studio.access import person_of
from heygem_pipeline.studio.api import set_moving, use_part
from heygem_pipeline.studio.files import KINDS, sent_stored
from heygem_pipeline.studio.http_api.idempotency import IdempotencyKey, StoredAnswers, added, digest_of
from heygem_pipeline.studio.http_api.schema import BroughtIn, Part, PresenterChanges, UploadChanges, UploadStanding
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import Studio, studio_of
from heygem_pipeline.studio.texts import language_of
from heygem_pipeline.studio.uploads import bring_in
from heygem_pipeline.uploads.registry import UploadKind
from heygem_pipeline.uploads.tags import TaggedKind, Tags

TheStudio = Annotated[Studio, Depends(studio_of)]

CONTENT = {
    "requestBody": {
        "required": True,
        "description": "The file as it is, with its length (Content-Length)",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def routes(answers: StoredAnswers) -> APIRouter:
    """answers: of requests that may be sent twice."""
    router = APIRouter(tags=["Voices and presenters"])
    for kind in KINDS:
        router.include_router(_routes_of(kind, answers))

    @router.patch("/voices/{key}", summary="Tag it, or use a part of it")
    async def change_voice(key: str, wanted: UploadChanges, request: Request, studio: TheStudio) -> UploadStanding:
        """A part that is used is looked at again, and the clips of it are made again; tags change no clip."""
        return await _changed(studio, "voices", key, wanted, language_of(request))

    @router.patch("/presenters/{key}", summary="Tag it, use a part of it, or have a photograph move")
    async def change_presenter(
        key: str, wanted: PresenterChanges, request: Request, studio: TheStudio
    ) -> UploadStanding:
        """As of a voice; a photograph that is to move, or to keep still, makes its clips anew too."""
        require_known(studio, "presenters", [key])
        if wanted.moving is not None:
            await set_moving(studio, key, wanted.moving)
        return await _changed(studio, "presenters", key, wanted, language_of(request))

    @router.get("/voices/{key}/clips.zip", summary="The ZIP of a voice's finished clips", response_class=Response)
    async def delivery(key: str, request: Request, studio: TheStudio) -> Response:
        """Made by the pipeline when all clips of the voice are made or have failed, with a manifest. By Range too."""
        require_known(studio, "voices", [key])
        path = studio.folders.delivery(key)
        if await run_in_threadpool(studio.folders.files.find, path) is None:
            raise Refusal("not_made", 404, name=path.name)
        return await sent_stored(request, path, path.name)

    return router


def _routes_of(kind: str, answers: StoredAnswers) -> APIRouter:
    router = APIRouter(prefix=f"/{kind}")

    @router.get("", summary=f"All {kind}")
    async def uploads(request: Request, studio: TheStudio) -> list[UploadStanding]:
        shown = await studio.snapshot.shown(language_of(request))
        return [UploadStanding(**upload) for upload in shown[kind]]

    @router.get("/{key}", summary="One of them")
    async def upload(key: str, request: Request, studio: TheStudio) -> UploadStanding:
        shown = await studio.snapshot.shown(language_of(request))
        return UploadStanding(**_named(shown[kind], key))

    add_receiving(router, KINDS[kind], answers)

    @router.delete("/{key}", summary="Delete it, with all that was made of it", status_code=204)
    async def delete(key: str, studio: TheStudio) -> None:
        require_known(studio, kind, [key])
        voices = kind == "voices"
        whom = [ErasureTarget(key if voices else None, None if voices else key)]
        await run_in_threadpool(actions.delete_uploads, studio.instance, studio.folders, whom)
        studio.snapshot.expire()

    return router


async def _changed(studio: Studio, kind: str, key: str, wanted: UploadChanges, language: str) -> UploadStanding:
    require_known(studio, kind, [key])
    if wanted.tags is not None:
        await run_in_threadpool(Tags(studio.folders).put, TaggedKind(kind), key, wanted.tags)
    if "trim" in wanted.model_fields_set:
        part = wanted.trim or Part()
        await use_part(studio, KINDS[kind], key, part.start, part.end)
    studio.snapshot.expire()
    shown = await studio.snapshot.shown(language)
    return UploadStanding(**_named(shown[kind], key))


def add_receiving(router: APIRouter, kind: UploadKind, answers: StoredAnswers) -> None:
    """Let files of a kind be brought in."""

    @router.put(
        "/{name}",
        summary="Bring in a file",
        status_code=201,
        response_model=BroughtIn,
        openapi_extra=CONTENT,
    )
    async def receive(
        name: str,
        request: Request,
        studio: TheStudio,
        replace: Annotated[str, Query(max_length=200, description="Key of the upload in whose place it comes")] = "",
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """It is stored under ``name``, or under ``name (2)`` where that is taken; ``key`` of the answer names it.

        It is looked at as a whole before clips are made of it, which takes some seconds: ask for it by its key.
        """
        length = request.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            raise HTTPException(411)
        digest = digest_of(request)
        body = added(request.stream(), digest)
        with answers.idempotent(request, idempotency_key) as once:
            if once.known:
                async for _ in body:
                    pass
                if (before := once.earlier(digest.hexdigest())) is not None:
                    return before
            person = person_of(request, studio.rules.proxies)
            path = await bring_in(studio, person, kind, name, int(length), body, replace)
            key = replace or await run_in_threadpool(take_in, studio, path)
            studio.snapshot.expire()
            return once.answer(digest.hexdigest(), 201, {"key": key, "file": path.name})


def take_in(studio: Studio, path: Path) -> str:
    """Give a file that is whole its key at once, as the pipeline would some seconds later; return it."""
    uploads, moving = studio.snapshot.uploads, studio.settings.photographs_move
    take_in_uploads(studio.instance, uploads.folders, lambda other: other == path, moving)
    for kind in UploadKind:
        if uploads.folder(kind) == path.parent:
            return next(key for key, upload in uploads.known(kind).items() if upload.file == path.name)
    raise ValueError(path)


def require_known(studio: Studio, kind: str, keys: list[str]) -> None:
    """Raise Refusal for the first of them that was not brought in."""
    uploads = studio.snapshot.uploads
    known = uploads.voices() if kind == "voices" else uploads.known(UploadKind.PRESENTER)
    missing = next((key for key in keys if key not in known), None)
    if missing is not None:
        raise Refusal("no_upload", 404, name=missing)


def _named(uploads: list[Mapping[str, Any]], key: str) -> Mapping[str, Any]:
    found = next((upload for upload in uploads if upload["key"] == key), None)
    if found is None:
        raise Refusal("no_upload", 404, name=key)
    return found
