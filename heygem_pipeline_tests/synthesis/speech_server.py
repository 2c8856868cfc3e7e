"""A stand-in for a speech server: it hums for as long as a sentence has letters, or does whatever is wrong."""

import io
import json
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest

from heygem_pipeline.settings import settings
from heygem_pipeline.synthesis import http_synthesizer

RATE = 24000
SECONDS_A_LETTER = 0.05


def hum(text: str, rate: int = RATE, hertz: float = 140.0) -> bytes:
    """A WAV with silence around a tone of this text's own pitch."""
    seconds = SECONDS_A_LETTER * len(text)
    time = np.arange(round(max(seconds, 0.2) * rate)) / rate
    tone = 0.4 * np.sin(2 * np.pi * (hertz + sum(text.encode()) % 200) * time)
    samples = np.concatenate([np.zeros(rate // 5), tone, np.zeros(rate // 4)])
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return content.getvalue()


Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


def send(handler: BaseHTTPRequestHandler, content: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def speaks(handler: BaseHTTPRequestHandler, wanted: dict[str, Any]) -> None:
    send(handler, hum(wanted["input"]), Content_Type="audio/wav")


@dataclass
class SpeechServer:
    """address: up to the version. requests: what was asked for. answers: used up one after another, the last stays."""

    address: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=lambda: [speaks])

    @property
    def texts(self) -> list[str]:
        return [request["input"] for request in self.requests]


@contextmanager
def speech_server() -> Iterator[SpeechServer]:
    stand_in = SpeechServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stand_in.requests.append(wanted)
            stand_in.headers.append(dict(self.headers))
            stand_in.paths.append(self.path)
            answer = stand_in.answers.pop(0) if len(stand_in.answers) > 1 else stand_in.answers[0]
            try:
                answer(self, wanted)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def used_speech_server(patch: pytest.MonkeyPatch, key: str | None = None) -> Iterator[SpeechServer]:
    """A server that the settings name, with this key, and that is asked again soon where it fails."""
    patch.setattr(http_synthesizer, "WAITS", (0.01, 0.01))
    if key is not None:
        patch.setenv("HEYGEM_SPEECH_KEY", key)
    with speech_server() as stand_in:
        patch.setenv("HEYGEM_SPEECH_ADDRESS", stand_in.address)
        settings.cache_clear()
        yield stand_in
    settings.cache_clear()
