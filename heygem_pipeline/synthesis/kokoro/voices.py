"""Kokoro's voices: for each number of phonemes a vector of style. Their names begin with the language: ``jf_alpha``."""

import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import CheckpointUnusable
from heygem_pipeline.storage.fingerprint import file_state

LANGUAGES = {
    "a": "en-US",
    "b": "en-GB",
    "e": "es",
    "f": "fr",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-BR",
    "z": "zh",
}
"""First letter of a voice's name -> its language."""

USUAL = {
    "en-US": "af_heart",
    "en-GB": "bf_emma",
    "es": "ef_dora",
    "fr": "ff_siwis",
    "hi": "hf_alpha",
    "it": "if_sara",
    "ja": "jf_alpha",
    "pt-BR": "pf_dora",
    "zh": "zf_xiaobei",
}

STYLE = 256
"""Numbers of a vector."""


def language_of(voice: str) -> str | None:
    """The language of a voice; None where its name begins as none does."""
    return LANGUAGES.get(voice[:1]) if voice[1:3] in ("f_", "m_") else None


def kokoro_language(tag: str) -> str | None:
    """The one of Kokoro's languages that a BCP 47 tag means; None where it speaks no such language."""
    language = tag.partition("-")[0].lower()
    known = [one for one in LANGUAGES.values() if one.partition("-")[0] == language]
    return next((one for one in known if one.lower() == tag.lower()), known[0] if known else None)


def voice_names(path: Path) -> list[str]:
    """The voices in a file. Raises CheckpointUnusable."""
    return _names(path, file_state(path))


@lru_cache(maxsize=4)
def _names(path: Path, _state: str) -> list[str]:
    try:
        with zipfile.ZipFile(path) as file:
            names = [name.removesuffix(".npy") for name in file.namelist()]
    except (zipfile.BadZipFile, OSError) as error:
        raise CheckpointUnusable("kokoro.no_voices", file=path.name) from error
    return sorted(name for name in names if language_of(name) is not None)


def styles(path: Path, voice: str) -> NDArray[np.float32]:
    """The vectors of a voice, (phonemes, 256). Raises CheckpointUnusable."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = np.asarray(file[voice], np.float32)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise CheckpointUnusable("kokoro.no_voices", file=path.name) from error
    if found.size == 0 or found.size % STYLE or not np.isfinite(found).all():
        raise CheckpointUnusable("kokoro.no_voices", file=path.name)
    return found.reshape(-1, STYLE)
