"""The form of what is refused, as programs read it: problem details (RFC 9457) with our codes, values and sentences."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.texts import language_of, texts

MEDIA_TYPE = "application/problem+json"


class ProblemDetails(BaseModel):
    """What is wrong. Decide by ``code``; ``detail`` is a sentence for people, in the language that was asked for."""

    title: str = Field(description="The phrase of the HTTP status")
    status: int
    detail: str
    code: str = Field(examples=["refused.too_large", "face.not_found"])
    values: dict[str, Any] = Field(description="What the sentence names")
    errors: list[dict[str, Any]] = Field(default=[], description="Where a request is not as described")


def problem(
    request: HTTPConnection,
    status: int,
    code: str,
    values: Mapping[str, Any],
    sentence: str,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """An answer in this form."""
    told = {
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "code": code,
        "values": dict(values),
    } | more
    spoken = {"content-language": language_of(request)} | dict(headers or {})
    return JSONResponse(told, status, spoken, MEDIA_TYPE)


def refused(request: HTTPConnection, refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """What the page refuses too, in words that fit a program where the page's do not."""
    sentence = sentence_of_refusal(refusal, language_of(request))
    return problem(request, refusal.status, f"refused.{refusal.code}", refusal.values, sentence, headers)


def sentence_of_refusal(refusal: Refusal, language: str) -> str:
    """What is refused in a sentence for who sends it by a program."""
    known = texts(language)
    sentence = known.get(f"http.{refusal.code}") or known[f"refused.{refusal.code}"]
    for name, value in refusal.values.items():
        sentence = sentence.replace(f"{{{name}}}", value)
    return sentence
