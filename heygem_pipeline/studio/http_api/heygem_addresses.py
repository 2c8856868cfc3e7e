"""The two addresses of HeyGem (Duix.Avatar), ``/easy/submit`` and ``/easy/query``, so that its scripts keep working.

Its requests carry no token and name files by path. So it is there only where the settings name a folder for those
files, and for the addresses that the settings name; and a path leads to nothing outside that folder.
"""

import json
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from heygem_pipeline.errors import PipelineError
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.status import State
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.fingerprint import fingerprint
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio.access import person_of
from heygem_pipeline.studio.api import BatchRequest, begin_batch
from heygem_pipeline.studio.clip_log import without_paths
from heygem_pipeline.studio.forms import LARGEST_REQUEST
from heygem_pipeline.studio.http_api.problem_details import sentence_of_refusal
from heygem_pipeline.studio.http_api.uploads import take_in
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import Studio, studio_of
from heygem_pipeline.studio.texts import language_of, sentence_of
from heygem_pipeline.studio.uploads import PIECE, bring_in
from heygem_pipeline.uploads.registry import UploadKind

DONE_WELL, WRONG_REQUEST, NO_TASK = 10000, 10002, 10004
"""Its codes."""

RUNNING, FINISHED, FAILED = 1, 2, 3
"""Its states of a task."""

THEIR_FOLDERS = ("code", "data", "temp")
"""How paths begin inside its container: all of them mean the folder of the settings."""

TASKS = "easy-tasks"
"""The register of what was submitted: code -> task."""

CODE = re.compile(r"[\w-]{1,100}", re.ASCII)


class Submission(BaseModel):
    """What it takes. What else its scripts send (chaofen, watermark_switch, pn) means nothing here."""

    code: str = Field(max_length=100)
    audio_url: str = Field(min_length=1, max_length=1000)
    video_url: str = Field(min_length=1, max_length=1000)


@dataclass(frozen=True)
class Task:
    """What a code stands for: the files that were named, and the clip that is made of them."""

    audio_url: str
    video_url: str
    voice: str
    presenter: str


def routes() -> list[Route]:
    """To be there only where ``easy_folder`` is set."""
    return [Route("/easy/submit", _submit, methods=["POST"]), Route("/easy/query", _query)]


async def _submit(request: Request) -> Response:
    studio = studio_of(request)
    try:
        wanted = await _submission(request)
        before = await run_in_threadpool(_tasks, studio.folders)
        if wanted.code in before:
            _require_same(before[wanted.code], wanted)
            return _easy_answer(DONE_WELL)
        voice = await _key_of(request, UploadKind.VOICE, wanted.audio_url)
        presenter = await _key_of(request, UploadKind.PRESENTER, wanted.video_url)
        task = Task(wanted.audio_url, wanted.video_url, voice, presenter)
        title = f"easy {wanted.code}"
        await begin_batch(studio, BatchRequest(title=title, voices=[voice], presenters=[presenter]))
        await run_in_threadpool(_remember, studio.folders, wanted.code, task)
    except Refusal as refusal:
        return _easy_answer(WRONG_REQUEST, sentence_of_refusal(refusal, language_of(request)))
    except PipelineError as error:
        return _easy_answer(WRONG_REQUEST, _said(studio, error.message, language_of(request)))
    return _easy_answer(DONE_WELL)


async def _query(request: Request) -> Response:
    studio, code = studio_of(request), request.query_params.get("code", "")
    task = (await run_in_threadpool(_tasks, studio.folders)).get(code)
    if task is None:
        return JSONResponse({"code": NO_TASK, "data": {}, "msg": "任务不存在", "success": True})
    clip = ClipKey(task.voice, task.presenter)
    status = (await studio.snapshot.plan()).clips.get(clip)
    told: dict[str, Any] = {"code": code, "msg": "", "progress": 0, "result": "", "status": RUNNING}
    if status is None or status.state in (State.FAILED, State.REMOVED):
        reason = Message("clip.removed") if status is None or status.reason is None else status.reason
        told |= {"status": FAILED, "msg": _said(studio, reason, language_of(request))}
    elif status.state is State.DONE:
        result = await run_in_threadpool(_handed_over, studio, clip, code)
        told |= {"status": FINISHED, "progress": 100, "result": f"/{result.name}"}
    else:
        told["progress"] = round(100 * (status.share or 0))
    return JSONResponse({"code": DONE_WELL, "data": told, "msg": "", "success": True})


def _easy_answer(code: int, message: str = "") -> Response:
    return JSONResponse({"code": code, "data": {}, "msg": message, "success": code == DONE_WELL})


def _said(studio: Studio, message: Message, language: str) -> str:
    return without_paths(sentence_of(message, language), studio.folders.root)


async def _submission(request: Request) -> Submission:
    """Raises Refusal."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_REQUEST:
            raise Refusal("request_too_large")
    try:
        wanted = Submission.model_validate(json.loads(body))
    except (ValueError, RecursionError, ValidationError) as error:
        raise Refusal("easy_request") from error
    if not CODE.fullmatch(wanted.code):
        raise Refusal("easy_code")
    return wanted


def _require_same(task: Task, wanted: Submission) -> None:
    if (task.audio_url, task.video_url) != (wanted.audio_url, wanted.video_url):
        raise Refusal("easy_code_taken", task=wanted.code)


async def _key_of(request: Request, kind: UploadKind, named: str) -> str:
    """The key of a file of the folder: of the same content that is known already, else of the file, brought in."""
    studio = studio_of(request)
    path = await run_in_threadpool(inside, _folder(studio), named)
    content = await run_in_threadpool(fingerprint, path)
    for key, upload in studio.snapshot.uploads.known(kind).items():
        if upload.fingerprint == content:
            return key
    person = person_of(request, studio.rules.proxies)
    arrived = await bring_in(studio, person, kind, path.name, path.stat().st_size, _pieces(path))
    return await run_in_threadpool(take_in, studio, arrived)


def _folder(studio: Studio) -> Path:
    folder = studio.settings.easy_folder
    assert folder is not None
    return folder


def inside(folder: Path, named: str) -> Path:
    """The file that a path of a request means. Raises Refusal for one that is not there, or not in the folder."""
    refusal = Refusal("easy_file", name=PurePosixPath(named).name[:80])
    parts = [part for part in PurePosixPath(named.replace("\\", "/")).parts if part != "/"]
    while len(parts) > 1 and parts[0] in THEIR_FOLDERS and not (folder / parts[0]).is_dir():
        del parts[0]
    try:
        root = folder.resolve(strict=True)
        path = root.joinpath(*parts).resolve(strict=True)
    except (OSError, ValueError) as error:
        raise refusal from error
    if not path.is_relative_to(root) or not path.is_file():
        raise refusal
    return path


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await run_in_threadpool(file.read, PIECE):
            yield piece


def _handed_over(studio: Studio, clip: ClipKey, code: str) -> Path:
    """The clip as it lies in the folder for the one who asked; put there where it is not, or is older."""
    made, result = studio.folders.clip(clip), _folder(studio) / f"{code}-r.mp4"
    stored = studio.folders.files.find(made)
    if stored is None:
        raise FileNotFoundError(made.name)
    if not result.is_file() or result.is_symlink() or result.stat().st_mtime_ns != stored.modified:
        with atomic_path(result) as temporary:
            shutil.copy2(studio.folders.files.fetch(made), temporary)
    return result


def _tasks(folders: DataFolders) -> dict[str, Task]:
    return folders.register(TASKS).read(_understood, {})


def _understood(stored: Mapping[str, Mapping[str, str]]) -> dict[str, Task]:
    return {code: Task(**task) for code, task in stored.items()}


def _remember(folders: DataFolders, code: str, task: Task) -> None:
    with folders.register(TASKS).changing() as write:
        write({known: asdict(one) for known, one in _tasks(folders).items()} | {code: asdict(task)})
