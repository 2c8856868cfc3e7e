"""Requests that are sent twice and done once: by the header ``Idempotency-Key``, for a day."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from time import time
from typing import Annotated, Any

from fastapi import Header
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from heygem_pipeline.storage.register import Register
from heygem_pipeline.studio.access import person_of
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.shared_state import studio_of

SECONDS_KEPT = 24 * 3600
MOST_KEPT = 2000

LONGEST_KEY = 200

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Send the same request again with the same key, and it is answered as the first time, not done "
        "twice. Kept for a day.",
        min_length=1,
        max_length=LONGEST_KEY,
    ),
]


@dataclass(frozen=True)
class StoredAnswer:
    """request: what was asked, by its digest. at: POSIX time."""

    request: str
    status: int
    body: dict[str, Any]
    location: str
    at: float

    def response(self) -> Response:
        """The same again."""
        headers = {"location": self.location} if self.location else {}
        return JSONResponse(self.body, self.status, headers | {"idempotency-replayed": "true"})


@dataclass
class StoredAnswers:
    """The register ``http-answers``: "<who> <key>" -> answer."""

    register: Register
    _under_way: set[str] = field(default_factory=set)

    @contextmanager
    def idempotent(self, request: Request, key: str | None) -> Iterator["IdempotentRequest"]:
        """For a request with this key. Raises Refusal while another one with it is under way."""
        if key is None:
            yield IdempotentRequest(self, "")
            return
        if not key.isprintable():
            raise Refusal("key")
        who = f"{person_of(request, studio_of(request).rules.proxies)} {key}"
        if who in self._under_way:
            raise Refusal("key_under_way", 409)
        self._under_way.add(who)
        try:
            yield IdempotentRequest(self, who)
        finally:
            self._under_way.remove(who)

    def read(self) -> dict[str, StoredAnswer]:
        """Those of the last day."""
        since = time() - SECONDS_KEPT
        kept = self.register.read(_understood, {})
        return {who: answer for who, answer in kept.items() if answer.at > since}

    def write(self, who: str, answer: StoredAnswer) -> None:
        """Keep one more; the oldest give way."""
        with self.register.changing() as write:
            kept = self.read() | {who: answer}
            newest = sorted(kept.items(), key=lambda one: one[1].at)[-MOST_KEPT:]
            write({name: asdict(one) for name, one in newest})


def _understood(stored: dict[str, dict[str, Any]]) -> dict[str, StoredAnswer]:
    return {who: StoredAnswer(**answer) for who, answer in stored.items()}


@dataclass(frozen=True)
class IdempotentRequest:
    """One request. who: "" where it has no key."""

    answers: StoredAnswers
    who: str

    @property
    def known(self) -> bool:
        """Was there a request with this key before?"""
        return bool(self.who) and self.who in self.answers.read()

    def earlier(self, request: str) -> Response | None:
        """The answer of the first time; None where there was none. Raises Refusal where another thing was asked."""
        kept = self.answers.read().get(self.who) if self.who else None
        if kept is None:
            return None
        if kept.request != request:
            raise Refusal("key_reused", 422)
        return kept.response()

    def answer(self, request: str, status: int, body: dict[str, Any], location: str = "") -> Response:
        """Answer, and keep the answer where the request has a key."""
        if self.who:
            self.answers.write(self.who, StoredAnswer(request, status, body, location, time()))
        return JSONResponse(body, status, {"location": location} if location else None)


def digest_of(request: Request) -> "hashlib._Hash":
    """The digest of what is asked; its body is to be added."""
    asked = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass"))


async def whole_digest_of(request: Request) -> str:
    """The digest, in hexadecimal digits, of what is asked and of its whole body."""
    digest = digest_of(request)
    digest.update(await request.body())
    return digest.hexdigest()


async def added(body: AsyncIterator[bytes], digest: "hashlib._Hash") -> AsyncIterator[bytes]:
    """The body, piece by piece, each added to the digest."""
    async for piece in body:
        digest.update(piece)
        yield piece
