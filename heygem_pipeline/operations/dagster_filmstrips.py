"""Filmstrips in Dagster's page: its records hold only their addresses, the pictures lie in the store."""

import re
from io import BytesIO
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from heygem_pipeline.quality.filmstrip import STRIPS
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.storage.path_checks import leads_out
from heygem_pipeline.storage.paths import DataFolders

ADDRESS = re.compile(rf"/{STRIPS}/(?P<voice>[^/]+)/(?P<presenter>[^/]+)\.jpg$")
"""Whatever stands before: the address is relative to that of the page which shows the picture."""

PICTURES_A_ROW, WIDTH = 4, 448
"""What the page has room for beside the names of the other values: it cuts wider pictures off."""

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
        answer = await run_in_threadpool(self._strip, Request(scope), found["voice"], found["presenter"])
        await answer(scope, receive, send)

    def _strip(self, request: Request, voice: str, presenter: str) -> Response:
        path = self.folders.filmstrip(ClipKey(voice, presenter))
        are_keys = partition_key(voice) == voice and partition_key(presenter) == presenter
        if request.method not in ("GET", "HEAD") or not are_keys:
            return PlainTextResponse("There is no such filmstrip.", 404)
        try:
            strip = self.folders.files.fetch(path)
        except FileNotFoundError:
            strip = None
        if strip is None or not strip.is_file() or leads_out(strip, self.folders.root):
            return PlainTextResponse("The clip is gone, and its filmstrip with it.", 404)
        try:
            return Response(in_rows(strip), media_type="image/jpeg", headers=HEADERS)
        except OSError:
            return PlainTextResponse("The filmstrip is damaged.", 404)


def in_rows(strip: Path) -> bytes:
    """The square pictures of a strip below each other in rows, as a JPEG."""
    from PIL import Image

    with Image.open(strip) as long:
        side = long.height
        row, rows = PICTURES_A_ROW * side, -(-long.width // (PICTURES_A_ROW * side))
        sheet = Image.new("RGB", (min(row, long.width), rows * side), "white")
        for number in range(rows):
            sheet.paste(long.crop((number * row, 0, min((number + 1) * row, long.width), side)), (0, number * side))
    sheet.thumbnail((WIDTH, sheet.height))
    written = BytesIO()
    sheet.save(written, "JPEG", quality=90)
    return written.getvalue()
