"""A program behind an HTTP service: a task is handed over, asked after, and its result taken from a shared folder."""

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from heygem_pipeline.errors import ProgramFailed, ProgramMissing
from heygem_pipeline.lipsync.program.command_line import LONGEST_WORDS
from heygem_pipeline.lipsync.program.recipe import Answer, Call, Recipe, Service, filled, filled_in
from heygem_pipeline.lipsync.program.task import POLL_SECONDS, Task

ANSWER_SECONDS = 30
LARGEST_ANSWER = 2**20
SILENCES = 5
"""So often in a row a service may fail to answer while it works; more, and it is taken to be gone."""


def require_folder(recipe: Recipe, service: Service) -> None:
    """Raise ProgramMissing where the shared folder is not there."""
    if not service.folder.is_dir():
        raise ProgramMissing("program.no_folder", program=recipe.name, path=str(service.folder))


def use_service(task: Task, service: Service, places: Mapping[str, str]) -> Path:
    """Hand the task over, wait, and return the result, moved out of the shared folder.

    Raises ProgramFailed, ProgramMissing, and Unwanted of the task.
    """
    name = task.recipe.name
    try:
        answer = _answer(service.submit, places)
    except OSError as error:
        raise ProgramMissing(
            "program.unreachable", program=name, url=service.submit.url, reason=_said(error)
        ) from error
    if not holds(answer, service.submit.accepted):
        raise ProgramFailed("program.refused", program=name, said=_words(answer, service.submit))
    answer = _when_done(task, service, places)
    result = value_at(answer, service.result)
    place = (service.folder / str(result).lstrip("/")).resolve() if isinstance(result, str) and result else None
    if place is None or not place.is_relative_to(service.folder.resolve()) or not place.is_file():
        raise ProgramFailed("program.no_result", program=name, said=_words(answer, service.query))
    shutil.move(place, task.result)
    return task.result


def _when_done(task: Task, service: Service, places: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    query, silences = service.query, 0
    while True:
        _wait(task, query.every_seconds)
        try:
            answer = _answer(query, places)
        except OSError as error:
            silences += 1
            if silences >= SILENCES:
                raise ProgramFailed("program.silent", program=task.recipe.name, reason=_said(error)) from error
            continue
        silences = 0
        if any(holds(answer, failed) for failed in query.failed):
            raise ProgramFailed("program.refused", program=task.recipe.name, said=_words(answer, query))
        if holds(answer, query.done):
            return answer


def _wait(task: Task, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        task.require_time()
        time.sleep(min(POLL_SECONDS, seconds))


def _answer(call: Call, places: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """The JSON of an answer. Raises OSError, also for what is no JSON."""
    url = filled(call.url, {name: quote(value, safe="") for name, value in places.items()})
    body = None if call.body is None else json.dumps(filled_in(call.body, places)).encode()
    request = Request(url, body, {"Content-Type": "application/json"} if body else {})
    # A service of one's own network is not asked for through a proxy.
    with build_opener(ProxyHandler({})).open(request, timeout=ANSWER_SECONDS) as answer:
        read = answer.read(LARGEST_ANSWER)
    try:
        return json.loads(read)
    except (ValueError, RecursionError) as error:
        raise OSError("its answer is no JSON") from error


def holds(answer: object, wanted: Answer) -> bool:
    """Whether all that is wanted stands in an answer."""
    return all(
        value_at(answer, path) in (values if isinstance(values, list) else [values]) for path, values in wanted.items()
    )


def value_at(answer: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    """What stands at a dotted path; None where nothing does."""
    for key in path.split("."):
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer


def _words(answer: object, call: Call) -> str:
    said = value_at(answer, call.message) if call.message else None
    text = str(said) if said is not None else json.dumps(answer, ensure_ascii=False)
    return "".join(sign for sign in text if sign.isprintable())[:LONGEST_WORDS] or "-"


def _said(error: OSError) -> str:
    if isinstance(error, HTTPError):
        return f"HTTP {error.code}"
    reason = error.reason if isinstance(error, URLError) else error
    return " ".join(str(reason).split())[:LONGEST_WORDS]
