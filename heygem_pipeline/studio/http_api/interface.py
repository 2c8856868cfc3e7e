"""The interface for programs, ``/api/v1``, as a whole. Its routes call what the page calls."""

from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heygem_pipeline.media.formats import PRESENTER_SUFFIXES, VOICE_SUFFIXES
from heygem_pipeline.studio.batches import engine_choices
from heygem_pipeline.studio.forms import LARGEST_REQUEST
from heygem_pipeline.studio.http_api import batches, clips, scripts, uploads
from heygem_pipeline.studio.http_api.documentation import documentation
from heygem_pipeline.studio.http_api.error_handlers import add_error_handlers
from heygem_pipeline.studio.http_api.idempotency import StoredAnswers
from heygem_pipeline.studio.http_api.problem_details import MEDIA_TYPE, ProblemDetails
from heygem_pipeline.studio.http_api.schema import CodedSentence, Engine, Service
from heygem_pipeline.studio.http_api.uploads import TheStudio
from heygem_pipeline.studio.shared_state import Studio
from heygem_pipeline.studio.texts import language_of, message_json, sentence_of

DESCRIPTION = (
    "Bring in voices and presenters, ask for clips, watch, and fetch them. What is refused is told as problem details "
    "(RFC 9457): decide by `code`; `detail` is a sentence in the language of `Accept-Language` (en, zh)."
)
TOKEN = "Made by: heygem token create NAME. Where the Studio asks for no login, none is needed."

PROBLEM: dict[str, Any] = {
    "description": "What is wrong",
    "content": {MEDIA_TYPE: {"schema": ProblemDetails.model_json_schema()}},
}
PROBLEMS: dict[int | str, dict[str, Any]] = dict.fromkeys((422, "4XX", "5XX"), PROBLEM)


class BoundedRequests:
    """Middleware: a body of JSON that is too large is refused as everything else is. Uploads have a limit of theirs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and count what is received."""
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_REQUEST:
                raise HTTPException(413)
            return message

        await self.app(scope, receive if scope.get("method") == "PUT" else bounded, send)


def interface(studio: Studio) -> FastAPI:
    """To be mounted."""
    app = FastAPI(
        title="heygem-pipeline",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        # Relative, because a proxy may cut off a path that this process does not know.
        servers=[{"url": "."}],
        root_path_in_servers=False,
        responses=PROBLEMS,
        dependencies=[Depends(HTTPBearer(auto_error=False, description=TOKEN))],
        middleware=[Middleware(BoundedRequests)],
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.studio = studio
    add_error_handlers(app)
    answers = StoredAnswers(studio.folders.register("http-answers"))

    @app.get("/service", tags=["Service"], summary="What answers here")
    async def service(request: Request, studio: TheStudio) -> Service:
        shown = await studio.snapshot.shown(language_of(request))
        return Service(
            version=version("heygem-pipeline"),
            served=shown["served"],
            voice_endings=sorted(VOICE_SUFFIXES),
            presenter_endings=sorted(PRESENTER_SUFFIXES),
            largest_upload=int(studio.settings.studio_max_gb * 1e9),
        )

    @app.get("/engines", tags=["Service"], summary="The lip-sync engines")
    async def engines(request: Request, studio: TheStudio) -> list[Engine]:
        choices = await run_in_threadpool(engine_choices, studio.settings, studio.instance, studio.folders)
        language, root = language_of(request), studio.folders.root
        return [
            Engine(
                name=choice.name,
                terms=sentence_of(choice.terms, language),
                lack=None if choice.lack is None else CodedSentence(**message_json(choice.lack, language, root)),
                speed=choice.speed,
            )
            for choice in choices
        ]

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return documentation(app.openapi(), language_of(request))

    app.include_router(batches.routes(answers))
    app.include_router(clips.router)
    app.include_router(scripts.routes(answers))
    app.include_router(uploads.routes(answers))
    return app
