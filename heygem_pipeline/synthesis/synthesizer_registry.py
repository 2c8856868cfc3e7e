"""The one place that knows every speech engine."""

from collections.abc import Callable

from heygem_pipeline.errors import UnknownChoice
from heygem_pipeline.settings import DEFAULTS, SynthesisSettings
from heygem_pipeline.synthesis.synthesizer import SpeechSynthesizer


def _http(settings: SynthesisSettings) -> SpeechSynthesizer:
    from heygem_pipeline.synthesis.http_synthesizer import HttpSynthesizer

    return HttpSynthesizer(settings)


def _kokoro(settings: SynthesisSettings) -> SpeechSynthesizer:
    from heygem_pipeline.synthesis.kokoro.engine import KokoroSynthesizer

    return KokoroSynthesizer(settings)


SYNTHESIZERS: dict[str, Callable[[SynthesisSettings], SpeechSynthesizer]] = {"http": _http, "kokoro": _kokoro}


def load_synthesizer(name: str, settings: SynthesisSettings = DEFAULTS) -> SpeechSynthesizer:
    """Return the speech engine of that name. Raises UnknownChoice."""
    if name not in SYNTHESIZERS:
        raise UnknownChoice("synthesizer.unknown", name=name, known=", ".join(sorted(SYNTHESIZERS)))
    return SYNTHESIZERS[name](settings)
