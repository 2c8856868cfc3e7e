"""Posting to addresses that people name: by default to none inside this machine's own network, and never led on."""

import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from heygem_pipeline.errors import WebhookRefused

PATIENCE = 10.0
"""Seconds for each step of a call."""

LONGEST_ADDRESS = 2000
PORTS = {"http": 80, "https": 443}


class _Fixed(HTTPConnection):
    """A connection to an address that was looked at before; the name is not asked for again."""

    def __init__(self, place: str, host: str, port: int) -> None:
        super().__init__(host, port, timeout=PATIENCE)
        self.place = place

    def connect(self) -> None:
        """Connect to the very address."""
        self.sock = socket.create_connection((self.place, self.port), PATIENCE)


class _FixedAndEncrypted(HTTPSConnection):
    """The same over TLS; the certificate must be the name's."""

    def __init__(self, place: str, host: str, port: int) -> None:
        self.its_context = ssl.create_default_context()
        super().__init__(host, port, timeout=PATIENCE, context=self.its_context)
        self.place = place

    def connect(self) -> None:
        """Connect to the very address."""
        plain = socket.create_connection((self.place, self.port), PATIENCE)
        self.sock = self.its_context.wrap_socket(plain, server_hostname=self.host)


def checked_address(address: str) -> SplitResult:
    """The parts of an address that can be posted to. Raises WebhookRefused where it is none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise WebhookRefused("webhook.no_address") from error
    whole = parts.scheme in PORTS and parts.hostname and port != 0 and len(address) <= LONGEST_ADDRESS
    if not whole or parts.username is not None or not address.isascii() or not address.isprintable() or " " in address:
        raise WebhookRefused("webhook.no_address")
    return parts


def place_of(address: str, inside: bool) -> str:
    """The number that the address's name stands for.

    Raises WebhookRefused where it may not, or where nobody knows the name.

    Args:
        inside: may it be in this machine's own network?
    """
    parts = checked_address(address)
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, parts.port or PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebhookRefused("webhook.unknown_host", host=host) from error
    places = [str(entry[4][0]) for entry in found]
    if not inside and not all(is_outside(place) for place in places):
        raise WebhookRefused("webhook.inside", host=host)
    return places[0]


def is_outside(place: str) -> bool:
    """Is it an address of the internet, and not of a network of one's own, this machine, or one that leads there?"""
    number: IPv4Address | IPv6Address = ip_address(place.partition("%")[0])
    if isinstance(number, IPv6Address):
        wrapped = number.ipv4_mapped or number.sixtofour or (number.teredo[1] if number.teredo else None)
        if wrapped is not None:
            return is_outside(str(wrapped))
    return number.is_global and not number.is_multicast


def post(address: str, body: bytes, headers: Mapping[str, str], inside: bool) -> int:
    """Post, and return the status of the answer, wherever it would lead. Raises OSError, WebhookRefused."""
    parts, place = checked_address(address), place_of(address, inside)
    kind = _FixedAndEncrypted if parts.scheme == "https" else _Fixed
    connection = kind(place, parts.hostname or "", parts.port or PORTS[parts.scheme])
    try:
        connection.request(
            "POST", parts._replace(scheme="", netloc="", fragment="").geturl() or "/", body, dict(headers)
        )
        return connection.getresponse().status
    except HTTPException as error:
        raise OSError(f"no answer in HTTP ({type(error).__name__})") from error
    finally:
        connection.close()
