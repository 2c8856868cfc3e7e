"""Connections that ask for nothing, headers without end, bodies drop by drop: nobody waits for them."""

import asyncio
import select
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from threading import Thread
from time import monotonic, sleep

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from heygem_pipeline.web import http_server
from heygem_pipeline.web.http_server import LARGEST_HEAD, BoundedRequests, ImpatientProtocol
from heygem_pipeline_tests.conftest import free_port

PATIENCE = 0.4


async def echo(request: Request) -> Response:
    try:
        return PlainTextResponse(str(len(await request.body())))
    except ClientDisconnect:
        return PlainTextResponse("too slow", 408)


LENGTH = 48 * 2**20
"""Bytes of an answer that no system takes in without its reader."""


async def long_answer(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LENGTH // 2**16):
            yield bytes(2**16)

    return StreamingResponse(pieces())


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(http_server, "SECONDS_TO_ASK", PATIENCE)
    monkeypatch.setattr(http_server, "SECONDS_UNREAD", PATIENCE)
    routes = [Route("/", echo, methods=["GET", "POST"]), Route("/long", long_answer)]
    app = BoundedRequests(Starlette(routes=routes), PATIENCE, 1000)
    number = free_port()
    config = uvicorn.Config(
        app,
        port=number,
        http=ImpatientProtocol,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        log_level="critical",
        timeout_keep_alive=1,
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        sleep(0.02)
    yield number
    server.should_exit = True
    thread.join()


def told(port: int, *pieces: bytes, pause: float = 0.0) -> tuple[bytes, float]:
    """What comes back until the page closes the connection, and the seconds it took."""
    started = monotonic()
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=8) as connection, suppress(ConnectionError):
        for piece in pieces:
            connection.sendall(piece)
            sleep(pause)
            if select.select([connection], [], [], 0)[0]:
                received = connection.recv(65536)
                answer += received
                if not received:
                    break
        while received := connection.recv(65536):
            answer += received
    return answer, monotonic() - started


CLOSE = b"Host: x\r\nConnection: close\r\n"


def test_who_asks_for_nothing_is_not_waited_for(port: int) -> None:
    answer, seconds = told(port)
    assert answer == b"" and seconds < 3


def test_headers_drop_by_drop_do_not_hold_a_connection(port: int) -> None:
    answer, seconds = told(port, b"GET / HTTP/1.1\r\n", *[b"X: 1\r\n"] * 60, pause=0.05)
    assert answer == b"" and seconds < 4
    first = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    answer, _ = told(port, first, *[b"G"] * 60, pause=0.05)
    assert answer.count(b"HTTP/1.1") == 1, "neither before a second request"


def test_headers_have_a_largest_size(port: int) -> None:
    head = b"GET / HTTP/1.1\r\n" + CLOSE + b"X: " + b"x" * 2 * LARGEST_HEAD
    assert told(port, head + b"\r\n\r\n")[0].startswith(b"HTTP/1.1 431")
    assert b" 200 " not in told(port, *[head[:20_000]] * 4, pause=0.05)[0]


def test_a_body_drop_by_drop_is_broken_off_and_a_steady_one_arrives(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n"
    answer, seconds = told(port, head, *[b"x"] * 60, pause=0.05)
    assert answer.startswith(b"HTTP/1.1 408") and seconds < 5
    steady = b"POST / HTTP/1.1\r\nContent-Length: 3000\r\n" + CLOSE + b"\r\n"
    assert told(port, steady, *[b"x" * 200] * 15, pause=0.06)[0].endswith(b"3000")


def test_time_in_which_nobody_reads_is_not_the_senders() -> None:
    async def slow_reader() -> list[str]:
        pieces = [{"type": "http.request", "body": b"x", "more_body": n < 4} for n in range(5)]
        got: list[str] = []

        async def receive() -> Message:
            return pieces.pop(0)

        async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
            for _ in range(5):
                await asyncio.sleep(0.05)
                got.append((await receive())["type"])

        async def send(_message: Message) -> None:
            pass

        scope = {"type": "http", "raw_path": b"", "query_string": b"", "headers": []}
        await BoundedRequests(app, grace=0.1)(scope, receive, send)
        return got

    assert asyncio.run(slow_reader()) == ["http.request"] * 5


def test_who_reads_an_answer_drop_by_drop_is_cut_off_and_a_slow_player_is_not(port: int) -> None:
    assert read_of_an_answer(port, [1] * 60) < LENGTH
    assert read_of_an_answer(port, [LENGTH // 32] * 30) > LENGTH


def read_of_an_answer(port: int, pieces: Sequence[int]) -> int:
    """Bytes that come, headers and all, to who takes so many in an eighth of the time there is, and then all others."""
    read = 0
    with socket.create_connection(("127.0.0.1", port), timeout=8) as connection, suppress(ConnectionError):
        connection.sendall(b"GET /long HTTP/1.1\r\n" + CLOSE + b"\r\n")
        for size in pieces:
            read += len(connection.recv(size, socket.MSG_WAITALL))
            sleep(PATIENCE / 8)
        while received := len(connection.recv(2**20)):
            read += received
    return read
