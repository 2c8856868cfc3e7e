"""The Studio page as a whole: what it holds, and which address leads where."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from heygem_pipeline.automation.campaigns import load_campaigns
from heygem_pipeline.automation.instance import Instance
from heygem_pipeline.errors import PipelineError
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio import api, files, pages, refusals
from heygem_pipeline.studio.access import Access, Rules
from heygem_pipeline.studio.batches import only_what_is_chosen
from heygem_pipeline.studio.clip_log import without_paths
from heygem_pipeline.studio.examinations import Examinations
from heygem_pipeline.studio.look import Look
from heygem_pipeline.studio.receiving import remove_abandoned

UPLOADS_AT_ONCE = 6


class Studio:
    """All that the page's requests share."""

    def __init__(self, instance: Instance, folders: DataFolders, rules: Rules) -> None:
        self.instance = instance
        self.folders = folders
        self.rules = rules
        self.examinations = Examinations(folders)
        self.look = Look(instance, folders, self.examinations)
        self.receiving = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self.one_guess = asyncio.Lock()

    def has_batches_or_pairs(self) -> bool:
        """Is anything wanted already, so that nobody's way of working may be changed?"""
        known = self.look.uploads.known
        campaigns = load_campaigns(self.folders.campaigns)
        return not campaigns.everything or all(known(kind) for kind in files.KINDS.values())

    def make_only_what_is_chosen(self) -> None:
        """In a house where nothing was wanted yet, uploads of the page wait until somebody presses the button."""
        only_what_is_chosen(self.folders)


def application(studio: Studio) -> Starlette:
    """The page. It answers below any path that a proxy cuts off: all its addresses are relative."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        remove_abandoned(studio.look.uploads)
        yield
        studio.examinations.end()

    zipped = [Middleware(GZipMiddleware, minimum_size=1000)]
    app = Starlette(
        routes=[
            *pages.routes(),
            *files.routes(),
            Mount("/api", routes=api.routes(), middleware=zipped),
            Mount("/static", StaticFiles(directory=pages.STATIC), middleware=zipped),
        ],
        middleware=[Middleware(Access, rules=studio.rules)],
        exception_handlers={
            refusals.Refusal: refusals.told,
            PipelineError: _sentence,
            HTTPException: _status,
            Exception: _unexpected,
        },
        lifespan=lifespan,
    )
    app.state.studio = studio
    return app


async def _sentence(request: Request, error: Exception) -> JSONResponse:
    folders = request.app.state.studio.folders
    return JSONResponse({"sentence": without_paths(str(error), folders.root)}, 400)


async def _status(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        {"refused": "not_there" if error.status_code == 404 else "unexpected", "values": {}}, error.status_code
    )


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    logging.getLogger(__name__).error("A request failed", exc_info=error)
    return JSONResponse({"refused": "unexpected", "values": {}}, 500)
