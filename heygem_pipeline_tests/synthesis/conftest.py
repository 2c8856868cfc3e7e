"""A stand-in speech server, and settings that name it."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.synthesis import http_synthesizer
from heygem_pipeline_tests.synthesis.speech_server import SpeechServer, speech_server

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SpeechServer]:
    monkeypatch.setattr(http_synthesizer, "WAITS", (0.01, 0.01))
    with speech_server() as stand_in:
        yield stand_in


@pytest.fixture
def chosen(server: SpeechServer) -> SynthesisSettings:
    return SynthesisSettings(speech_address=server.address, speech_key=SecretStr(KEY), speech_seconds=5)
