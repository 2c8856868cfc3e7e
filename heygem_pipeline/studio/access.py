"""Who may ask for what: hosts, origins, rates, logins. It stands before everything else."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heygem_pipeline.studio.logins import COOKIE, Sessions

OPEN_PATHS = ("/login", "/static/")
"""What a stranger may see: the form, and how it looks."""

SAFE_METHODS = ("GET", "HEAD")

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
class Brake:
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

    header: in which a proxy names whom it let in; "" for none.
    """

    hosts: frozenset[str]
    proxies: frozenset[str]
    header: str
    sessions: Sessions

    @property
    def everybody(self) -> bool:
        """May whoever reaches the page use it?"""
        return not self.header and not self.sessions.users


@dataclass
class Access:
    """The middleware."""

    app: ASGIApp
    rules: Rules
    brake: Brake = field(default_factory=lambda: Brake(rate=60, burst=900))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; hand the rest on, with ``scope["state"]["user"]``."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        request = Request(scope)
        scope.setdefault("state", {})["user"] = self.user(request)
        answer = self._refused(request) or self._unknown(request)
        await (answer or self.app)(scope, receive, with_headers)

    def user(self, request: Request) -> str | None:
        """Who asks; "" where nobody has to say so, None for a stranger."""
        if self.rules.everybody:
            return ""
        if self.rules.header and peer_of(request) in self.rules.proxies:
            named = request.headers.get(self.rules.header, "").strip()
            if named:
                return named
        return self.rules.sessions.user_of(request.cookies.get(COOKIE, ""))

    def _refused(self, request: Request) -> Response | None:
        if host_name(request.headers.get("host", "")) not in self.rules.hosts:
            return PlainTextResponse("The page does not answer to this name (HEYGEM_STUDIO_HOSTS).", 421)
        if request.method not in SAFE_METHODS and not is_own(request.headers):
            return JSONResponse({"refused": "foreign", "values": {}}, 403)
        if not self.brake.lets_through(client_of(request, self.rules.proxies)):
            return JSONResponse({"refused": "too_often", "values": {}}, 429, {"retry-after": "5"})
        return None

    def _unknown(self, request: Request) -> Response | None:
        path = request.scope["path"]
        if request.state.user is not None or path.startswith(OPEN_PATHS):
            return None
        if self.rules.header and not self.rules.sessions.users:
            return PlainTextResponse("Log in at the server in front of this page.", 403)
        if request.method in SAFE_METHODS and path == "/":
            # The login leads on to where one wanted to go: a link to a clip names it in the query.
            query = request.url.query
            return RedirectResponse(f"login?{query}" if query else "login", 303)
        return JSONResponse({"refused": "stranger", "values": {}}, 401)


def is_own(headers: Headers) -> bool:
    """Was the request made by this page itself? A browser always says so; what is no browser needs no guard."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def peer_of(request: Request) -> str:
    """The address at the other end of the connection."""
    return request.client.host if request.client else ""


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
