"""The Studio page as a whole: what it holds, and which address leads where."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from heygem_pipeline.errors import BucketUnreachable, PipelineError
from heygem_pipeline.studio import api, earlier_clips, files, pages, previews, refusals
from heygem_pipeline.studio.access import Access
from heygem_pipeline.studio.http_api import heygem_addresses
from heygem_pipeline.studio.http_api.interface import interface
from heygem_pipeline.studio.shared_state import Studio, studio_of
from heygem_pipeline.studio.texts import language_of, message_json
from heygem_pipeline.studio.uploads import remove_abandoned


def application(studio: Studio) -> Starlette:
    """The page. It answers below any path that a proxy cuts off: all its addresses are relative."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        remove_abandoned(studio.snapshot.uploads)
        yield
        studio.first_looks.end()
        studio.voice_samples.end()

    zipped = [Middleware(GZipMiddleware, minimum_size=1000)]
    app = Starlette(
        routes=[
            *pages.routes(),
            *files.routes(),
            *previews.file_routes(),
            *earlier_clips.file_routes(),
            *(heygem_addresses.routes() if studio.settings.easy_folder is not None else ()),
            Mount("/api/v1", interface(studio)),
            Mount(
                "/api", routes=[*api.routes(), *previews.api_routes(), *earlier_clips.api_routes()], middleware=zipped
            ),
            Mount("/static", StaticFiles(directory=pages.STATIC), middleware=zipped),
        ],
        middleware=[Middleware(Access, rules=studio.rules)],
        exception_handlers={
            refusals.Refusal: refusals.refusal_response,
            PipelineError: _sentence,
            HTTPException: _status,
            ClientDisconnect: _cut_off,
            Exception: _unexpected,
        },
        lifespan=lifespan,
    )
    app.state.studio = studio
    return app


async def _sentence(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PipelineError)
    root = studio_of(request).folders.root
    status = 503 if isinstance(error, BucketUnreachable) else 400
    return JSONResponse(message_json(error.message, language_of(request), root), status)


async def _status(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        {"refused": "not_there" if error.status_code == 404 else "unexpected", "values": {}}, error.status_code
    )


async def _cut_off(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"refused": "unexpected", "values": {}}, 408)


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    logging.getLogger(__name__).error("A request failed", exc_info=error)
    return JSONResponse({"refused": "unexpected", "values": {}}, 500)
