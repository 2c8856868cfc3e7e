"""How our pages listen: nobody keeps a connection without asking, asks without end, or sends or reads drop by drop."""

import asyncio
import resource
from time import monotonic

import h11
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 2000
"""A browser keeps six: enough for some 200 people who watch at once."""

SECONDS_TO_ASK = 15.0
"""From a connection, or the first byte of a further request, to the end of the request's headers."""

SECONDS_KEPT_ALIVE = 10
LARGEST_HEAD = 2**15
"""Bytes of a request's first line and headers."""

SECONDS_UNREAD = 300.0
"""In which a piece of an answer (64 kB) has to be read. A player that paused for longer asks again, from there on."""

SECONDS_OF_GRACE = 30.0
SLOWEST = 20_000
"""Bytes a second; over the grace, a body that comes more slowly is broken off."""


class ImpatientProtocol(H11Protocol):
    """uvicorn's own protocol, which bounds headers; here also the time they take, and that of reading an answer."""

    _asking: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The clock starts before the first byte."""
        super().connection_made(transport)
        # What the other end has not made room for counts as unread, however little it is.
        transport.set_write_buffer_limits(high=0)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """The clock stops when the headers are whole; bytes alone do not set it back."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        super().connection_lost(exc)
        self._forget()
        self._forget_unread()

    def pause_writing(self) -> None:
        """Something is to be read by the other end."""
        super().pause_writing()
        # Closing would wait for the reader.
        self._unread = self.loop.call_later(SECONDS_UNREAD, self.transport.abort)

    def resume_writing(self) -> None:
        """It has all been read, as far as this process knows."""
        super().resume_writing()
        self._forget_unread()

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif self._asking is None:
            self._asking = self.loop.call_later(SECONDS_TO_ASK, self._give_up)

    def _forget(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _give_up(self) -> None:
        self._asking = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


class BoundedRequests:
    """Middleware: large headers are refused; a body that comes too slowly ends as if its sender had gone.

    Time in which nobody reads the body is not counted.
    """

    def __init__(self, app: ASGIApp, grace: float = SECONDS_OF_GRACE, slowest: float = SLOWEST) -> None:
        self.app = app
        self.grace = grace
        self.slowest = slowest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, with a clock at ``receive``."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # What arrives in one piece, uvicorn's protocol does not measure.
        head = len(scope["raw_path"]) + len(scope["query_string"])
        if head + sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEAD:
            await PlainTextResponse("The headers are too large.", 431, {"connection": "close"})(scope, receive, send)
            return
        received, waited, over, gave_up = 0, 0.0, False, False

        async def in_time() -> Message:
            nonlocal received, waited, over, gave_up
            if over:
                return await receive()
            started = monotonic()
            try:
                message = await asyncio.wait_for(receive(), self.grace + received / self.slowest - waited)
            except TimeoutError:
                over = gave_up = True
                return {"type": "http.disconnect"}
            waited += monotonic() - started
            received += len(message.get("body", b""))
            over = not message.get("more_body", False)
            return message

        async def closing(message: Message) -> None:
            if gave_up and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        await self.app(scope, in_time, closing)


def serve(app: ASGIApp, host: str, port: int, seconds_to_stop: int | None = None) -> None:
    """Listen until Ctrl-C or SIGTERM."""
    _allow_open_files(2 * CONNECTIONS)
    uvicorn.run(
        BoundedRequests(app),
        host=host,
        port=port,
        http=ImpatientProtocol,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        # Who is believed about the other end is decided in guard.py.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=SECONDS_KEPT_ALIVE,
        timeout_graceful_shutdown=seconds_to_stop,
    )


def _allow_open_files(wanted: int) -> None:
    """Each connection is one, and many systems allow 1024 where nobody asks for more."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
