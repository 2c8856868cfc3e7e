"""What the interface for programs answers to each error: the status, and problem details."""

import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from heygem_pipeline.errors import BadInput, BucketUnreachable, NotReady, PipelineError, UploadMissing
from heygem_pipeline.studio.clip_log import without_paths
from heygem_pipeline.studio.http_api.problem_details import problem, refused
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import studio_of
from heygem_pipeline.studio.texts import language_of, sentence_of, texts, values_without_paths

CODES = {404: "not_there", 405: "method", 411: "length", 413: "request_too_large", 400: "request"}
"""Of what the framework refuses."""


def add_error_handlers(app: FastAPI) -> None:
    """Have everything that the interface refuses told in this form."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(PipelineError, _pipeline_error)
    app.add_exception_handler(RequestValidationError, _not_as_described)
    app.add_exception_handler(HTTPException, _by_status)
    app.add_exception_handler(ClientDisconnect, _cut_off)
    app.add_exception_handler(Exception, _unexpected)


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return refused(request, error)


async def _pipeline_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PipelineError)
    root = studio_of(request).folders.root
    sentence = without_paths(sentence_of(error.message, language_of(request)), root)
    values = values_without_paths(error.message.as_json()["values"], root)
    return problem(request, _status_of(error), error.code, values, sentence)


def _status_of(error: PipelineError) -> int:
    if isinstance(error, UploadMissing):
        return 404
    if isinstance(error, BadInput):
        return 400
    return 503 if isinstance(error, NotReady | BucketUnreachable) else 500


async def _not_as_described(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    where = [{"where": list(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]
    sentence = texts(language_of(request))["refused.request"]
    return problem(request, 422, "refused.request", {}, sentence, errors=where)


async def _by_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = Refusal(CODES.get(error.status_code, "unexpected"), error.status_code)
    return refused(request, refusal, error.headers)


async def _cut_off(request: Request, _error: Exception) -> Response:
    return refused(request, Refusal("unexpected", 408))


async def _unexpected(request: Request, error: Exception) -> Response:
    logging.getLogger(__name__).error("A request failed", exc_info=error)
    return refused(request, Refusal("unexpected", 500))
