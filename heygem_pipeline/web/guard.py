"""What stands before each of our pages: the names it answers to, and which other pages may make it act (none)."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

SAFE_METHODS = ("GET", "HEAD")

DEFAULT_PORTS = {"http": ":80", "https": ":443"}

IPV6_PREFIX = 64
"""Bits; whoever has an IPv6 address has all that begin so."""


@dataclass(frozen=True)
class Guard:
    """Which requests come from the page itself, or from a person's own visit to it.

    Attributes:
        hosts: the names the page answers to.
        proxies: addresses whose forwarded headers are believed.
        any_address: whether it answers to every IP address too. No attacker's name can be led to a page by an address.
    """

    hosts: frozenset[str]
    proxies: frozenset[str]
    any_address: bool = False

    def refusal(self, connection: HTTPConnection) -> Response | None:
        """What to answer to whom must not get any further; None for all others. Websockets count as acting."""
        if not self.answers_to(host_name(connection.headers.get("host", ""))):
            return PlainTextResponse("The page does not answer to this name (HEYGEM_STUDIO_HOSTS).", 421)
        acts = connection.scope["type"] == "websocket" or connection.scope["method"] not in SAFE_METHODS
        if acts and not is_own(connection, self.proxies):
            return foreign()
        return None

    def answers_to(self, name: str) -> bool:
        """Is it a name of the page?"""
        return name in self.hosts or (self.any_address and _address(name) is not None)


def guard_of(host: str, further: str, proxies: str) -> Guard:
    """The guard of a page that listens on ``host``, with what the settings name, separated by spaces."""
    everywhere = is_everywhere(host)
    own = {"localhost", "127.0.0.1", "::1"} | (set() if everywhere else {host})
    names = frozenset(name.lower() for name in own | set(further.split()))
    return Guard(names, frozenset(proxies.split()), any_address=everywhere)


def foreign() -> Response:
    """The answer to what another page made a browser send."""
    return JSONResponse({"refused": "foreign", "values": {}}, 403)


async def refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a refusal; a websocket is closed before it is opened, which a browser sees as 403."""
    refusal: ASGIApp = WebSocketClose() if scope["type"] == "websocket" else answer
    await refusal(scope, receive, send)


def is_own(connection: HTTPConnection, proxies: Collection[str] = ()) -> bool:
    """Was the request made by this page itself? A browser always says so; what is no browser needs no guard."""
    headers = connection.headers
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    # A proxy may hand the name on without the port; no page can make a browser send X-Forwarded-Host.
    names = {headers.get("host", "")}
    if peer_of(connection) in proxies:
        names.add(headers.get("x-forwarded-host", ""))
    try:
        scheme, said = urlsplit(origin)[:2]
    except ValueError:
        return False
    default = DEFAULT_PORTS.get(scheme, "")
    return bool(said) and said.lower().removesuffix(default) in {name.lower().removesuffix(default) for name in names}


def peer_of(connection: HTTPConnection) -> str:
    """The address at the other end of the connection."""
    return connection.client.host if connection.client else ""


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def is_everywhere(host: str) -> bool:
    """Does a page that listens here listen on all addresses of the machine?"""
    address = _address(host)
    return address is not None and address.is_unspecified


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def network_of(address: str) -> str:
    """Whom an address belongs to: an IPv4 address stands alone, of IPv6 one has a whole network."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, IPV6_PREFIX), strict=False))
