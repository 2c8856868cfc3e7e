"""Which language a voice speaks, as people told the Studio: the register ``studio-languages``."""

from heygem_pipeline.storage.folders import DataFolders

NAME = "studio-languages"


def languages_of(folders: DataFolders) -> dict[str, str]:
    """Voice -> BCP 47."""
    return folders.register(NAME).read(_understood, {})


def _understood(stored: dict[str, str]) -> dict[str, str]:
    if not stored:
        return {}
    import langcodes

    return {key: tag for key, tag in stored.items() if langcodes.tag_is_valid(tag)}
