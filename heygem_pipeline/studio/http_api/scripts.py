"""Scripts by ``/api/v1``: texts that become voices. They stand among the voices, and are deleted there."""

import langcodes
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from heygem_pipeline.studio.http_api.idempotency import IdempotencyKey, StoredAnswers, whole_digest_of
from heygem_pipeline.studio.http_api.schema import (
    BroughtIn,
    CodedSentence,
    NewScript,
    Script,
    ScriptChanges,
    Speaker,
    UploadStanding,
)
from heygem_pipeline.studio.http_api.uploads import TheStudio, add_receiving, take_in
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.scripts import WrittenScript, script_text, speakers, write_script
from heygem_pipeline.studio.shared_state import Studio
from heygem_pipeline.studio.texts import language_of, message_json
from heygem_pipeline.uploads.registry import UploadKind


def routes(answers: StoredAnswers) -> APIRouter:
    """answers: of requests that may be sent twice."""
    router = APIRouter(tags=["Scripts"])
    of_scripts = APIRouter(prefix="/scripts")

    @of_scripts.get("", summary="All scripts")
    async def scripts(request: Request, studio: TheStudio) -> list[UploadStanding]:
        """The voices that are brought as scripts."""
        shown = await studio.snapshot.shown(language_of(request))
        return [UploadStanding(**voice) for voice in shown["voices"] if "spoken" in voice]

    @of_scripts.post("", summary="Write a script", status_code=201, response_model=BroughtIn)
    async def write(
        wanted: NewScript, request: Request, studio: TheStudio, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """It becomes a voice: ``key`` names that too, and batches take it like any other."""
        asked = await whole_digest_of(request)
        with answers.idempotent(request, idempotency_key) as once:
            if (before := once.earlier(asked)) is not None:
                return before
            stored = await _store(studio, WrittenScript(key="", **wanted.model_dump()))
            where = str(request.url_for("script", key=stored.key).path)
            return once.answer(asked, 201, stored.model_dump(), where)

    @of_scripts.get("/{key}", summary="A script")
    async def script(key: str, studio: TheStudio) -> Script:
        """Its text as it is, and its sentences with their times where it was spoken."""
        return await _script(studio, key)

    @of_scripts.patch("/{key}", summary="Change its text or who speaks it")
    async def change(key: str, wanted: ScriptChanges, studio: TheStudio) -> Script:
        """The clips that are made of it are made again."""
        now = (await _script(studio, key)).model_dump(include=set(ScriptChanges.model_fields))
        await _store(studio, WrittenScript(key=key, name="", **now | wanted.model_dump(exclude_none=True)))
        return await _script(studio, key)

    add_receiving(of_scripts, UploadKind.SCRIPT, answers)

    @router.get("/speakers", summary="Who can speak scripts")
    async def who_can_speak(request: Request, studio: TheStudio) -> list[Speaker]:
        language, root = language_of(request), studio.folders.root
        return [
            Speaker(
                engine=one.engine,
                voice=one.voice.name,
                language=one.voice.language,
                lack=None if one.lack is None else CodedSentence(**message_json(one.lack, language, root)),
            )
            for one in await run_in_threadpool(speakers, studio.settings)
        ]

    router.include_router(of_scripts)
    return router


async def _script(studio: Studio, key: str) -> Script:
    """Raises Refusal."""
    uploads = studio.snapshot.uploads
    if key not in uploads.known(UploadKind.SCRIPT):
        raise Refusal("no_upload", 404, name=key)
    return Script(key=key, **await run_in_threadpool(script_text, uploads, key))


async def _store(studio: Studio, written: WrittenScript) -> BroughtIn:
    """Raises Refusal, and BadInput where it could not be spoken."""
    if written.language and not langcodes.tag_is_valid(written.language):
        raise Refusal("unknown_choice")
    path = await run_in_threadpool(write_script, studio.snapshot.uploads, studio.settings, written)
    if not written.key:
        await run_in_threadpool(studio.require_campaigns_at_first)
    key = written.key or await run_in_threadpool(take_in, studio, path)
    studio.first_looks.want(UploadKind.SCRIPT, path, new=True)
    studio.snapshot.expire()
    return BroughtIn(key=key, file=path.name)
