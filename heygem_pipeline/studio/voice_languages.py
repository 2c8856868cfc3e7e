"""Which language a voice speaks, told in the page."""

import langcodes

from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.uploads.voice_languages import NAME, languages_of


def note_language(folders: DataFolders, voice: str, tag: str) -> None:
    """Remember it; "" forgets it. Raises Refusal for what is no language."""
    if tag and not langcodes.tag_is_valid(tag):
        raise Refusal("unknown_choice")
    with folders.register(NAME).changing() as write:
        now = languages_of(folders) | {voice: tag}
        write({key: language for key, language in now.items() if language})
