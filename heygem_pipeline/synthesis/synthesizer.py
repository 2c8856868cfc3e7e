"""What a speech synthesizer is: whatever turns a sentence into sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EngineVoice:
    """A voice that an engine speaks with.

    Attributes:
        language: BCP 47; "" where it speaks any.
    """

    name: str
    language: str


@dataclass(frozen=True)
class SpokenPhoneme:
    """A sound of speech. sign: of IPA, one character. begin, end: seconds from the first sample."""

    sign: str
    begin: float
    end: float


@dataclass(frozen=True)
class Speech:
    """A spoken sentence.

    Attributes:
        samples: float32 (n,), mono, -1..1, finite.
        phonemes: all of it, in order, where the engine knows them with their times; else None.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    phonemes: tuple[SpokenPhoneme, ...] | None = None


class SpeechSynthesizer(Protocol):
    """An engine that speaks.

    Making one is cheap: it opens no network and no large file before ``synthesize`` is called.
    """

    @property
    def name(self) -> str:
        """As settings, scripts and campaigns call it."""
        ...

    @property
    def version(self) -> str:
        """All that decides what a voice sounds like: where it changes, scripts are spoken anew."""
        ...

    def voices(self) -> Sequence[EngineVoice]:
        """The voices that it knows of."""
        ...

    def choose_voice(self, voice: str, language: str) -> str:
        """Return the voice that speaks: the named one, or the usual one of the language. "": not named, not known.

        Raises VoiceUnknown where there is no such voice, or where it does not speak the language.
        """
        ...

    def require_ready(self, voice: str) -> None:
        """Raise NotReady where packages, files or settings are missing without which this voice cannot speak."""
        ...

    def synthesize(self, text: str, voice: str, language: str, speed: float) -> Speech:
        """Speak a sentence of at most ``LONGEST_PIECE`` characters.

        Raises NotReady, and SynthesisFailed where what came is no speech.

        Args:
            voice: as ``choose_voice`` returned it.
        """
        ...
