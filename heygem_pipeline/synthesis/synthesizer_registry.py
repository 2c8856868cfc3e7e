"""The one place that knows every speech engine: ours, and those of installed packages."""

from heygem_pipeline.errors import UnknownChoice
from heygem_pipeline.plug_ins import PlugIns
from heygem_pipeline.settings import DEFAULTS, SynthesisSettings
from heygem_pipeline.synthesis.synthesizer import SpeechSynthesizer

SYNTHESIZERS: PlugIns[SpeechSynthesizer] = PlugIns(
    "voice",
    {
        "name": str,
        "version": str,
        **dict.fromkeys(("voices", "choose_voice", "require_ready", "synthesize"), None),
    },
)
"""Entry points of the group ``heygem_pipeline.voices``. Ours stand in ``pyproject.toml``; ``plug_ins`` loads all."""


def load_synthesizer(name: str, settings: SynthesisSettings = DEFAULTS) -> SpeechSynthesizer:
    """Return the speech engine of that name. Raises UnknownChoice, PlugInUnusable, and what making it raises."""
    if name not in SYNTHESIZERS:
        raise UnknownChoice("synthesizer.unknown", name=name, known=", ".join(sorted(SYNTHESIZERS)))
    return SYNTHESIZERS[name](settings)
