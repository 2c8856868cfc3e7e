"""How a script is spoken: what it says of itself, then what its campaign says, then the settings."""

from dataclasses import dataclass

from heygem_pipeline.errors import ScriptUnusable
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.storage.printable_text import did_you_mean, shown
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.synthesis.script import Script
from heygem_pipeline.synthesis.synthesizer import SpeechSynthesizer
from heygem_pipeline.synthesis.synthesizer_registry import SYNTHESIZERS, load_synthesizer


@dataclass(frozen=True)
class SpeechSpec:
    """How a script is spoken.

    Attributes:
        language: BCP 47; "" where nobody said it.
        voice: as its engine calls it.
    """

    engine: SpeechSynthesizer
    voice: str
    language: str
    speed: float


def speech_spec(script: Script, settings: SynthesisSettings, ordered: FrontMatter = FrontMatter()) -> SpeechSpec:
    """Work out how a script is spoken.

    Raises ScriptUnusable where there is no such engine or voice, UnknownChoice for an engine of the settings.

    Args:
        ordered: what counts where the script itself says nothing.
    """
    said = script.says.engine or ordered.engine
    if said and said not in SYNTHESIZERS:
        hint = did_you_mean(said, SYNTHESIZERS) or Message("hint.none")
        known = ", ".join(sorted(SYNTHESIZERS))
        raise ScriptUnusable("script.engine", file=script.file, engine=shown(said), known=known, hint=hint)
    engine = load_synthesizer(said or settings.speech_engine, settings)
    # A voice is one of its engine's: that of the settings is the usual engine's, and no other knows it.
    usual = settings.speech_voice if engine.name == settings.speech_engine else ""
    language = script.says.language or ordered.language or ""
    voice = engine.choose_voice(script.says.voice or ordered.voice or usual, language)
    return SpeechSpec(engine, voice, language, script.says.speed or ordered.speed or settings.speech_speed)
