"""Which language a voice speaks, as people told the Studio: the register ``studio-languages``."""

from heygem_pipeline.storage.paths import DataFolders

NAME = "studio-languages"


def languages_of(folders: DataFolders) -> dict[str, str]:
    """Voice -> BCP 47."""
    return folders.register(NAME).read(_understood, {})


def note_language(folders: DataFolders, voice: str, tag: str) -> None:
    """Remember what was told, a valid tag; "" forgets it."""
    with folders.register(NAME).changing() as write:
        now = languages_of(folders) | {voice: tag}
        write({key: language for key, language in now.items() if language})


def _understood(stored: dict[str, str]) -> dict[str, str]:
    if not stored:
        return {}
    import langcodes

    return {key: tag for key, tag in stored.items() if langcodes.tag_is_valid(tag)}
