"""Engine ``kokoro``: Kokoro-82M (weights under Apache-2.0) on a processor, without a network connection."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import CheckpointUnusable, ModelMissing, SynthesisFailed, VoiceUnknown
from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.storage.printable_text import shown
from heygem_pipeline.synthesis.kokoro import model_files
from heygem_pipeline.synthesis.kokoro.network import MOST_PHONEMES, SAMPLE_RATE, infer
from heygem_pipeline.synthesis.kokoro.phonemization import phonemes, require_phonemizer, vocabulary
from heygem_pipeline.synthesis.kokoro.voices import LANGUAGES, USUAL, kokoro_language, language_of, styles, voice_names
from heygem_pipeline.synthesis.synthesizer import EngineVoice, Speech, SpokenPhoneme

NAME = "kokoro"

VERSION = "1"
"""Of what is done here with text and phonemes."""

DIGITS = 8
"""Of the network's SHA-256; enough to tell networks apart."""

_BREAKS = re.compile(r"(?<=[,.!?;:])\s+|\s+")


class KokoroSynthesizer:
    """Speaks with the network in the folder of weights, or in the packages."""

    name = NAME

    def __init__(self, settings: SynthesisSettings) -> None:
        self._settings = settings

    @property
    def version(self) -> str:
        """Of this code, and which network is used."""
        name = model_files.network_name(self._settings).removesuffix(".onnx")
        return f"{VERSION} {name} {model_files.digest_of_network(self._settings)[:DIGITS]}"

    def voices(self) -> Sequence[EngineVoice]:
        """Those in the file of voices; none where there is no such file."""
        try:
            names = voice_names(model_files.voices_file(self._settings))
        except (ModelMissing, CheckpointUnusable):
            return []
        return [EngineVoice(name, language_of(name) or "") for name in names]

    def choose_voice(self, voice: str, language: str) -> str:
        """The named voice, or the language's usual one. Raises VoiceUnknown."""
        wanted = kokoro_language(language) if language else None
        if language and wanted is None:
            known = ", ".join(LANGUAGES.values())
            raise VoiceUnknown("synthesis.no_such_language", engine=NAME, language=language, known=known)
        there = [one.name for one in self.voices()]
        if not voice:
            if wanted is None:
                raise VoiceUnknown("synthesis.no_language", engine=NAME)
            mine = [name for name in there if language_of(name) == wanted]
            usual = USUAL[wanted]
            return usual if usual in mine or not mine else mine[0]
        speaks = language_of(voice)
        if speaks is None or (there and voice not in there):
            known = ", ".join(there) or "-"
            raise VoiceUnknown("synthesis.no_such_voice", engine=NAME, voice=shown(voice), known=known)
        if wanted is not None and speaks.partition("-")[0] != wanted.partition("-")[0]:
            raise VoiceUnknown("synthesis.other_language", voice=voice, speaks=speaks, language=language)
        return voice

    def require_ready(self, voice: str) -> None:
        """Raise ModelMissing where files or packages are missing, CheckpointUnusable where there are no voices."""
        model_files.require_network(self._settings)
        voice_names(model_files.voices_file(self._settings))
        require_phonemizer(_language(voice))

    def synthesize(self, text: str, voice: str, language: str, speed: float) -> Speech:
        """Speak a sentence, in several goes where it has many phonemes."""
        path, styled = model_files.network(self._settings), styles(model_files.voices_file(self._settings), voice)
        pieces = list(_pieces(phonemes(text, _language(voice))))
        if not pieces:
            raise SynthesisFailed("synthesis.unreadable", engine=NAME, sentence=shown(text))
        known = vocabulary()
        spoken, told, begin = [], [], 0
        for piece in pieces:
            samples, ends = infer(path, [known[sign] for sign in piece], styled, speed)
            told.append(None if ends is None else _timed(piece, (begin + ends) / SAMPLE_RATE))
            spoken.append(samples)
            begin += len(samples)
        whole = [one for of_piece in told for one in of_piece or ()]
        return Speech(np.concatenate(spoken), SAMPLE_RATE, None if None in told else tuple(whole))


def _timed(piece: str, ends: NDArray[np.float64]) -> list[SpokenPhoneme]:
    """The phonemes of a piece. ends: seconds, where the first begins, then where each ends."""
    times = zip(piece, ends[:-1], ends[1:], strict=True)
    return [SpokenPhoneme(sign, float(begin), float(end)) for sign, begin, end in times]


def _pieces(spoken: str) -> Iterator[str]:
    """Phonemes in pieces that the network takes: broken behind punctuation or between words, else anywhere."""
    piece = ""
    for part in _BREAKS.split(spoken.strip()):
        for first in range(0, len(part), MOST_PHONEMES):
            some = part[first : first + MOST_PHONEMES]
            if piece and len(piece) + 1 + len(some) > MOST_PHONEMES:
                yield piece
                piece = ""
            piece = f"{piece} {some}".strip()
    if any(sign.isalpha() for sign in piece):
        yield piece


def _language(voice: str) -> str:
    language = language_of(voice)
    assert language is not None, "choose_voice returns no other voice"
    return language
