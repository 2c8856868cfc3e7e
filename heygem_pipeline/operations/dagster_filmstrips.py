"""Filmstrips in Dagster's page: its records hold only their addresses, the pictures lie in the store."""

import re

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from heygem_pipeline.quality.filmstrip import STRIPS
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.storage.links import leads_out

ADDRESS = re.compile(rf"/{STRIPS}/(?P<voice>[^/]+)/(?P<presenter>[^/]+)\.jpg$")
"""Whatever stands before: the address is relative to that of the page which shows the picture."""

HEADERS = {"content-security-policy": "default-src 'none'; sandbox", "cache-control": "private, no-cache"}


class WithFilmstrips:
    """Dagster's application, and the strips of finished clips."""

    def __init__(self, app: ASGIApp, folders: DataFolders) -> None:
        self.app = app
        self.folders = folders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a strip, or hand the rest on."""
        found = ADDRESS.search(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        await self._strip(Request(scope), found["voice"], found["presenter"])(scope, receive, send)

    def _strip(self, request: Request, voice: str, presenter: str) -> Response:
        path = self.folders.filmstrip(ClipKey(voice, presenter))
        are_keys = partition_key(voice) == voice and partition_key(presenter) == presenter
        if request.method not in ("GET", "HEAD") or not are_keys:
            return PlainTextResponse("There is no such filmstrip.", 404)
        if not path.is_file() or leads_out(path, self.folders.root):
            return PlainTextResponse("The clip is gone, and its filmstrip with it.", 404)
        return FileResponse(path, headers=HEADERS)
