"""Engine ``http`` against a stand-in server with every fault."""

import socket
import struct
import traceback
from http.server import BaseHTTPRequestHandler
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from heygem_pipeline.errors import NotReady, PipelineError
from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.synthesis import http_synthesizer
from heygem_pipeline.synthesis.http_synthesizer import HttpSynthesizer
from heygem_pipeline_tests.synthesis.conftest import KEY
from heygem_pipeline_tests.synthesis.speech_server import SECONDS_A_LETTER, Answer, SpeechServer, hum, send, speaks

TEXT = "It is half past nine."


def refused(status: int, content: bytes = b"", **headers: str) -> Answer:
    return lambda handler, _: send(handler, content, status, **headers)


def returns(content: bytes) -> Answer:
    return lambda handler, _: send(handler, content)


def breaks_off(handler: BaseHTTPRequestHandler, _wanted: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(hum(TEXT)[:5000])
    handler.close_connection = True


def resets(handler: BaseHTTPRequestHandler, _wanted: dict[str, Any]) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def says_nothing(_handler: BaseHTTPRequestHandler, _wanted: dict[str, Any]) -> None:
    sleep(1)


def drips(handler: BaseHTTPRequestHandler, _wanted: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b"RIFF")
        sleep(0.05)


def never_ends(handler: BaseHTTPRequestHandler, _wanted: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"0" * 2**16)


def spoken(chosen: SynthesisSettings) -> float:
    """Seconds of sound that came."""
    speech = HttpSynthesizer(chosen).synthesize(TEXT, "alloy", "en", 1.0)
    return len(speech.samples) / speech.sample_rate


LENGTH = SECONDS_A_LETTER * len(TEXT) + 0.45


def test_a_sentence_is_asked_for_as_openai_describes_it(server: SpeechServer, chosen: SynthesisSettings) -> None:
    speech = HttpSynthesizer(chosen).synthesize(TEXT, "nova", "en", 1.25)
    assert server.paths == ["/v1/audio/speech"]
    wanted = {"model": "tts-1", "input": TEXT, "voice": "nova", "speed": 1.25, "response_format": "wav"}
    assert server.requests == [wanted]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert len(speech.samples) / speech.sample_rate == pytest.approx(LENGTH, abs=0.01)
    assert 0.3 < np.abs(speech.samples).max() < 0.5


def test_no_key_is_sent_where_there_is_none(server: SpeechServer) -> None:
    spoken(SynthesisSettings(speech_address=server.address))
    assert "Authorization" not in server.headers[0]


PASSING_FAULTS = [
    refused(500, b"<html>Oops</html>"),
    refused(503, Retry_After="0"),
    refused(429, b'{"error": {"message": "slow down"}}'),
    breaks_off,
    resets,
]


@pytest.mark.parametrize("fault", PASSING_FAULTS)
def test_what_may_pass_is_tried_again(fault: Answer, server: SpeechServer, chosen: SynthesisSettings) -> None:
    server.answers = [fault, speaks]
    assert spoken(chosen) == pytest.approx(LENGTH, abs=0.01)
    assert len(server.requests) == 2


LASTING_FAULTS = {
    "speech_server.refused": (refused(400, b"<html>Oops</html>"), 1),
    "speech_server.in_trouble": (refused(502, b"<html>Bad gateway</html>"), 3),
    "speech_server.busy": (refused(429, b'{"error": {"message": "slow down"}}'), 3),
    "speech_server.out_of_reach": (breaks_off, 3),
    "speech_server.key_refused": (refused(401, f'{{"error": {{"message": "bad key {KEY}"}}}}'.encode()), 1),
    "speech_server.nothing_there": (refused(404, b"<html>Not here</html>"), 1),
    "synthesis.no_sound": (returns(b"<!doctype html><title>Welcome</title>"), 1),
    "speech_server.too_slow": (says_nothing, 1),
}


@pytest.mark.parametrize("code", LASTING_FAULTS)
def test_what_lasts_is_one_sentence_after_few_tries(code: str, server: SpeechServer, chosen: SynthesisSettings) -> None:
    fault, tries = LASTING_FAULTS[code]
    server.answers = [fault]
    limited = chosen.model_copy(update={"speech_seconds": 0.3})
    with pytest.raises(NotReady) as caught:
        spoken(limited if fault is says_nothing else chosen)
    assert caught.value.code == code
    assert len(server.requests) == tries
    told = "".join(traceback.format_exception(caught.value))
    assert KEY not in told + caught.value.message.sentence("zh") + repr(caught.value.message)


NO_SOUND = [
    b"",
    b'{"error": "no such model"}',
    b"RIFF\0\0",
    b"\0" * 2000,
    b"ID3" + b"\1" * 500,
    b"  <html>",
    b"#EXTM3U\nx",
]


@pytest.mark.parametrize("content", NO_SOUND)
def test_an_answer_that_is_no_sound_is_told(content: bytes, server: SpeechServer, chosen: SynthesisSettings) -> None:
    server.answers = [returns(content)]
    with pytest.raises(PipelineError) as caught:
        spoken(chosen)
    assert caught.value.code == "synthesis.no_sound"
    assert len(server.requests) == 1


def test_an_answer_that_drips_is_given_up_in_time(server: SpeechServer, chosen: SynthesisSettings) -> None:
    server.answers = [drips]
    started = monotonic()
    with pytest.raises(PipelineError) as caught:
        spoken(chosen.model_copy(update={"speech_seconds": 0.3}))
    assert caught.value.code == "speech_server.too_slow"
    assert monotonic() - started < 1.5


def test_an_answer_without_end_is_given_up(
    server: SpeechServer, chosen: SynthesisSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_synthesizer, "MOST_BYTES", 10**6)
    server.answers = [never_ends]
    with pytest.raises(PipelineError) as caught:
        spoken(chosen)
    assert caught.value.code == "synthesis.endless"


def test_the_key_follows_no_redirection(server: SpeechServer, chosen: SynthesisSettings) -> None:
    for status in (301, 302, 307, 308):
        server.answers = [refused(status, Location=f"{server.address}/elsewhere")]
        with pytest.raises(PipelineError) as caught:
            spoken(chosen)
        assert caught.value.code == "speech_server.nothing_there"
    assert server.paths == ["/v1/audio/speech"] * 4


def test_a_refusal_is_quoted_without_the_key(server: SpeechServer, chosen: SynthesisSettings) -> None:
    server.answers = [refused(400, f'{{"error": {{"message": "no model for {KEY}\\u0007"}}}}'.encode())]
    with pytest.raises(PipelineError) as caught:
        spoken(chosen)
    assert "no model for …" in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_server_that_is_down_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(PipelineError) as caught:
        patch.setattr(http_synthesizer, "WAITS", (0.0, 0.0))
        spoken(SynthesisSettings(speech_address=f"http://127.0.0.1:{port}/v1"))
    assert caught.value.code == "speech_server.out_of_reach"
    assert caught.value.values["reason"] == "Connection refused"


ADDRESSES = {
    "": "speech_server.no_address",
    "127.0.0.1:8880/v1": "speech_server.bad_address",
    "ftp://example/v1": "speech_server.bad_address",
    "http://": "speech_server.bad_address",
    "http://a b/v1": "speech_server.bad_address",
    "http://me:secret@host/v1": "speech_server.bad_address",
    "http://[::1/v1": "speech_server.bad_address",
    "http://host:99999/v1": "speech_server.bad_address",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_cannot_be_is_told_before_anything_is_sent(address: str) -> None:
    with pytest.raises(NotReady) as caught:
        HttpSynthesizer(SynthesisSettings(speech_address=address)).require_ready("alloy")
    assert caught.value.code == ADDRESSES[address]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["two words", "schlüssel", "line\nbreak: x"])
def test_a_key_that_cannot_be_is_told_and_not_shown(key: str, server: SpeechServer) -> None:
    with pytest.raises(NotReady) as caught:
        spoken(SynthesisSettings(speech_address=server.address, speech_key=SecretStr(key)))
    assert caught.value.code == "speech_server.bad_key"
    assert key not in "".join(traceback.format_exception(caught.value))
    assert not server.requests


def test_the_model_is_the_version_and_the_address_is_not(chosen: SynthesisSettings) -> None:
    moved = chosen.model_copy(update={"speech_address": "http://elsewhere/v1"})
    other = chosen.model_copy(update={"speech_model": "tts-1-hd"})
    assert HttpSynthesizer(moved).version == HttpSynthesizer(chosen).version != HttpSynthesizer(other).version


def test_no_dump_of_the_settings_holds_the_key(chosen: SynthesisSettings) -> None:
    assert KEY not in repr(chosen) + str(chosen.model_dump(mode="json")) + chosen.model_dump_json()


def test_a_server_on_this_machine_is_asked_without_a_proxy(
    server: SpeechServer, chosen: SynthesisSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert spoken(chosen) == pytest.approx(LENGTH, abs=0.01)
    local = chosen.model_copy(update={"speech_address": server.address.replace("127.0.0.1", "localhost")})
    assert spoken(local) == pytest.approx(LENGTH, abs=0.01)
