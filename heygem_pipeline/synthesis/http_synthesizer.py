"""Engine ``http``: any server that speaks OpenAI's ``POST /v1/audio/speech``, on this machine or elsewhere.

The key is sent to the address of the settings and to no other: redirections are not followed. No message, error or
record holds it.
"""

import http.client
import json
import ssl
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from heygem_pipeline.errors import BadInput, SpeechServerUnusable, SynthesisFailed
from heygem_pipeline.media.probe import probe_sound
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.settings import SynthesisSettings, UploadLimits
from heygem_pipeline.storage.printable_text import shown
from heygem_pipeline.synthesis.synthesizer import EngineVoice, Speech

NAME = "http"
USUAL_VOICE = "alloy"

WAITS = (1.0, 4.0)
"""Seconds before each further try; so many there are, and no more."""

LONGEST_WAIT = 15.0
"""Seconds; a server that asks for more patience (``Retry-After``) is given up."""

TOO_MANY = 429
PASSING = (408, 425, TOO_MANY, 500, 502, 503, 504)
"""Status codes of what may be over in a moment."""

MOST_BYTES = 64 * 2**20
"""Of an answer: a minute of sound takes a sixth of it, however it is coded."""

SOUND_LIMITS = UploadLimits(max_minutes=10.0)
"""Of a sentence."""

BLOCK = 2**16


class _NoRedirection(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_named: Any) -> None:  # noqa: ANN401 - whatever it is given
        return None


class HttpSynthesizer:
    """Speaks with the server of the settings."""

    name = NAME

    def __init__(self, settings: SynthesisSettings) -> None:
        self._settings = settings

    @property
    def version(self) -> str:
        """The model that is asked for; where the server lies makes no difference to the sound."""
        return self._settings.speech_model

    def voices(self) -> Sequence[EngineVoice]:
        """The usual one: servers have no common way to say which they know."""
        return [EngineVoice(USUAL_VOICE, "")]

    def choose_voice(self, voice: str, language: str) -> str:
        """The server alone knows which there are."""
        return voice or USUAL_VOICE

    def require_ready(self, voice: str) -> None:
        """Raise SpeechServerUnusable where the settings name no address, or one that cannot be."""
        self._endpoint()
        self._key()

    def synthesize(self, text: str, voice: str, language: str, speed: float) -> Speech:
        """Ask the server, again where it may be over in a moment. Raises SpeechServerUnusable, SynthesisFailed.

        The language is the voice's affair: OpenAI's interface has no place for it, and refuses what it does not know.
        """
        wanted: dict[str, Any] = {
            "model": self._settings.speech_model,
            "input": text,
            "voice": voice,
            "response_format": "wav",
            "speed": speed,
        }
        return _speech(self._answer(json.dumps(wanted, ensure_ascii=False).encode()), self._host)

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.speech_address).netloc

    def _endpoint(self) -> str:
        address = self._settings.speech_address.strip()
        if not address:
            raise SpeechServerUnusable("speech_server.no_address")
        try:
            parts = urlsplit(address)
            possible = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
        except ValueError:
            possible = False
        if not possible or not address.isprintable() or " " in address:
            # What is wrong may hold a password before the @.
            raise SpeechServerUnusable("speech_server.bad_address")
        return f"{address.rstrip('/')}/audio/speech"

    def _key(self) -> str:
        key = self._settings.speech_key.get_secret_value().strip()
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise SpeechServerUnusable("speech_server.bad_key")
        return key

    def _answer(self, body: bytes) -> bytes:
        key = self._key()
        headers = {"Content-Type": "application/json", "Accept": "audio/*"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        request, opener = Request(self._endpoint(), body, headers, method="POST"), self._opener()
        for wait in (*WAITS, None):
            try:
                return self._read(opener, request)
            except HTTPError as error:
                with error:
                    if error.code not in PASSING or wait is None:
                        self._refused(error, key)
                    sleep(_patience(error, wait))
            except (URLError, OSError, http.client.HTTPException) as error:
                if wait is None or _is_final(error):
                    self._out_of_reach(error)
                sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _opener(self) -> OpenerDirector:
        """By the proxies of the environment, except to this machine itself."""
        host = urlsplit(self._settings.speech_address).hostname or ""
        here = host == "localhost" or host == "::1" or host.startswith("127.")
        return build_opener(_NoRedirection, *([ProxyHandler({})] if here else []))

    def _read(self, opener: OpenerDirector, request: Request) -> bytes:
        """Raises TimeoutError where the whole takes longer than the settings allow, however it drips."""
        limit = self._settings.speech_seconds
        until = monotonic() + limit
        with opener.open(request, timeout=limit) as response:
            content = bytearray()
            while block := response.read1(BLOCK):
                content += block
                if len(content) > MOST_BYTES:
                    raise SynthesisFailed("synthesis.endless", host=self._host, limit=MOST_BYTES // 2**20)
                if monotonic() > until:
                    raise TimeoutError
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
        return bytes(content)

    def _refused(self, error: HTTPError, key: str) -> NoReturn:
        if error.code in (401, 403):
            raise SpeechServerUnusable("speech_server.key_refused", host=self._host, status=error.code) from None
        if error.code == 404 or 300 <= error.code < 400:
            raise SpeechServerUnusable("speech_server.nothing_there", host=self._host, status=error.code) from None
        told = _error_text(error, key)
        if error.code == TOO_MANY:
            raise SpeechServerUnusable("speech_server.busy", host=self._host, status=error.code, told=told) from None
        if error.code in PASSING or error.code >= 500:
            raise SpeechServerUnusable(
                "speech_server.in_trouble", host=self._host, status=error.code, told=told
            ) from None
        raise SpeechServerUnusable("speech_server.refused", host=self._host, status=error.code, told=told) from None

    def _out_of_reach(self, error: Exception) -> NoReturn:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, TimeoutError):
            seconds = self._settings.speech_seconds
            raise SpeechServerUnusable("speech_server.too_slow", host=self._host, seconds=seconds) from None
        told = str(getattr(reason, "strerror", None) or type(reason).__name__)
        raise SpeechServerUnusable("speech_server.out_of_reach", host=self._host, reason=shown(told)) from None


def _is_final(error: Exception) -> bool:
    """A certificate does not mend itself, and what took too long once takes as long again."""
    reason = error.reason if isinstance(error, URLError) else error
    return isinstance(reason, ssl.SSLCertVerificationError | TimeoutError)


def _patience(error: HTTPError, usual: float) -> float:
    asked = (error.headers.get("Retry-After") or "").strip()
    return min(max(usual, float(asked)), LONGEST_WAIT) if asked.isdecimal() else usual


def _error_text(error: HTTPError, key: str) -> str:
    """What a server says of its refusal, as OpenAI's do; nothing of an error page, and never the key."""
    try:
        said = json.loads(error.read(BLOCK))
        said = said.get("error", said.get("detail", "")) if isinstance(said, dict) else ""
        said = said.get("message", "") if isinstance(said, dict) else said
    except (ValueError, OSError, http.client.HTTPException):
        return ""
    text = said if isinstance(said, str) else ""
    if key:
        text = text.replace(key, "…")
    return f" ({shown(text)})" if text else ""


def _speech(content: bytes, host: str) -> Speech:
    if content.lstrip()[:1] in (b"<", b"{") or not content:
        raise SynthesisFailed("synthesis.no_sound", host=host)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "answer"
        file.write_bytes(content)
        try:
            info = probe_sound(file, SOUND_LIMITS)
            sound = read_sound(file, info.sample_rate, SOUND_LIMITS, info)
        except BadInput as error:
            raise SynthesisFailed("synthesis.no_sound", host=host) from error
    return Speech(sound.samples, sound.sample_rate)
