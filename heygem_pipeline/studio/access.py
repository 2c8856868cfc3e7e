"""Who may ask for what: hosts, origins, rates, logins. It stands before everything else."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heygem_pipeline.studio.http_api.problem_details import refused
from heygem_pipeline.studio.http_api.tokens import Tokens, token_in
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.studio.sessions import COOKIE, Sessions
from heygem_pipeline.web.guard import SAFE_METHODS, Guard, network_of, peer_of, refuse

EASY = "/easy/"
PROGRAMS = ("/api/v1/", EASY)
"""Here programs may come with a token, and are told what is refused as problem details."""

OPEN_PATHS = ("/login", "/static/")
"""What a stranger may see: the form, and how it looks."""

NOT_OUR_NAME = 421

HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
}

MOST_KNOWN = 10_000
"""Addresses remembered; when there are more, those that have been quiet are forgotten."""


@dataclass
class RateLimiter:
    """Lets ``burst`` requests of one address through at once, then ``rate`` a second."""

    rate: float
    burst: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def lets_through(self, address: str) -> bool:
        """Count a request; may it go on?"""
        now = monotonic()
        if len(self._left) > MOST_KNOWN:
            self._left = {who: seen for who, seen in self._left.items() if self._refilled(seen, now) < self.burst}
        left = self._refilled(self._left.get(address, (self.burst, now)), now)
        self._left[address] = (left - 1 if left >= 1 else left, now)
        return left >= 1

    def _refilled(self, seen: tuple[float, float], now: float) -> float:
        left, at = seen
        return min(self.burst, left + (now - at) * self.rate)


@dataclass(frozen=True)
class Rules:
    """hosts: the names the page answers to. proxies: addresses whose forwarded headers are believed.

    header: in which a proxy names whom it let in; "" for none. tokens: of programs. easy_clients: let in at ``/easy``.
    """

    hosts: frozenset[str]
    proxies: frozenset[str]
    header: str
    sessions: Sessions
    any_address: bool = False
    tokens: Tokens | None = None
    easy_clients: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @property
    def guard(self) -> Guard:
        """What stands before Dagster's page too."""
        return Guard(self.hosts, self.proxies, self.any_address)

    @property
    def everybody(self) -> bool:
        """May whoever reaches the page use it?"""
        return not self.header and not self.sessions.users


@dataclass
class Access:
    """The middleware."""

    app: ASGIApp
    rules: Rules
    acting: RateLimiter = field(default_factory=lambda: RateLimiter(rate=60, burst=900))
    looking: RateLimiter = field(default_factory=lambda: RateLimiter(rate=500, burst=20_000))
    """Two hundred people behind one address each look every two seconds, and each begins with all files of the page."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; hand the rest on, with ``scope["state"]["user"]``."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            # The page has none: the router closes it.
            refusal = self.rules.guard.refusal(HTTPConnection(scope))
            await (refuse(refusal, scope, receive, send) if refusal else self.app(scope, receive, send))
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        request = Request(scope)
        state = scope.setdefault("state", {})
        for_programs = scope["path"].startswith(PROGRAMS)
        token = token_in(request.headers.get("authorization", "")) if for_programs else None
        if token is not None:
            state["user"] = await run_in_threadpool(self.program, token)
        elif (user := self.user(request)) is not None:
            state["user"] = user
        else:
            state["user"] = self.easy_client(request)
        answer = self._refused(request, for_programs)
        if answer is None and token is not None and state["user"] is None:
            answer = refused(request, Refusal("token", 401), {"www-authenticate": 'Bearer error="invalid_token"'})
        if answer is None:
            answer = self._unknown(request, for_programs)
        await (answer or self.app)(scope, receive, with_headers)

    def program(self, token: str) -> str | None:
        """Whose token it is, told from people's names; None where it opens nothing, whoever else sends it."""
        program = self.rules.tokens.program_of(token) if self.rules.tokens is not None else None
        return None if program is None else f"program {program}"

    def easy_client(self, request: Request) -> str | None:
        """Who asks where the settings let addresses in; None for all others, and everywhere else."""
        client = client_of(request, self.rules.proxies)
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            return None
        known = request.scope["path"].startswith(EASY) and any(address in one for one in self.rules.easy_clients)
        return f"client {client}" if known else None

    def user(self, request: Request) -> str | None:
        """Who asks; "" where nobody has to say so, None for a stranger."""
        if self.rules.everybody:
            return ""
        if self.rules.header and peer_of(request) in self.rules.proxies:
            named = request.headers.get(self.rules.header, "").strip()
            if named:
                return named
        return self.rules.sessions.user_of(request.cookies.get(COOKIE, ""))

    def _refused(self, request: Request, for_programs: bool) -> Response | None:
        if (answer := self.rules.guard.refusal(request)) is not None:
            code = "host" if answer.status_code == NOT_OUR_NAME else "foreign"
            return refused(request, Refusal(code, answer.status_code)) if for_programs else answer
        limiter = self.looking if request.method in SAFE_METHODS else self.acting
        if not limiter.lets_through(person_of(request, self.rules.proxies)):
            wait = {"retry-after": "5"}
            if for_programs:
                return refused(request, Refusal("too_often", 429), wait)
            return JSONResponse({"refused": "too_often", "values": {}}, 429, wait)
        return None

    def _unknown(self, request: Request, for_programs: bool) -> Response | None:
        path = request.scope["path"]
        if request.state.user is not None or path.startswith(OPEN_PATHS):
            return None
        if for_programs:
            return refused(request, Refusal("stranger", 401), {"www-authenticate": "Bearer"})
        if self.rules.header and not self.rules.sessions.users:
            return PlainTextResponse("Log in at the server in front of this page.", 403)
        if request.method in SAFE_METHODS and path == "/":
            # The login leads on to where one wanted to go: a link to a clip names it in the query.
            query = request.url.query
            return RedirectResponse(f"login?{query}" if query else "login", 303)
        return JSONResponse({"refused": "stranger", "values": {}}, 401)


def person_of(request: Request, proxies: Iterable[str]) -> str:
    """Whom to count a request for: the user where there is one, else the network."""
    user = request.scope.get("state", {}).get("user")
    return f"user {user}" if user else network_of(client_of(request, proxies))


def client_of(request: Request, proxies: Iterable[str]) -> str:
    """Whose request it is: what a proxy of ours says, else the other end."""
    peer = peer_of(request)
    forwarded = request.headers.get("x-forwarded-for", "")
    return forwarded.rpartition(",")[2].strip() or peer if peer in proxies else peer


def is_encrypted(request: Request, proxies: Iterable[str]) -> bool:
    """Did the browser ask by https?"""
    if peer_of(request) in proxies and "x-forwarded-proto" in request.headers:
        return request.headers["x-forwarded-proto"] == "https"
    return request.url.scheme == "https"
