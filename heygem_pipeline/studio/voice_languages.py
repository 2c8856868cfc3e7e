"""Which language a voice speaks, as people told the page: the register ``studio-languages``."""

import langcodes

from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio.refusals import Refusal

NAME = "studio-languages"


def languages_of(folders: DataFolders) -> dict[str, str]:
    """Voice -> BCP 47."""
    return folders.register(NAME).read(_understood, {})


def _understood(stored: dict[str, str]) -> dict[str, str]:
    return {key: tag for key, tag in stored.items() if langcodes.tag_is_valid(tag)}


def note_language(folders: DataFolders, voice: str, tag: str) -> None:
    """Remember it; "" forgets it. Raises Refusal for what is no language."""
    if tag and not langcodes.tag_is_valid(tag):
        raise Refusal("unknown_choice")
    with folders.register(NAME).changing() as write:
        now = languages_of(folders) | {voice: tag}
        write({key: language for key, language in now.items() if language})
