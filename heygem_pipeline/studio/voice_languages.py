"""Which language a voice speaks, as people told the page: ``state/studio-languages.json``."""

import json

import langcodes
from filelock import FileLock

from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.storage.state_file import read_state
from heygem_pipeline.studio.refusals import Refusal


def languages_of(folders: DataFolders) -> dict[str, str]:
    """Voice -> BCP 47."""
    return read_state(folders.state / "studio-languages.json", _understood, {})


def _understood(stored: dict[str, str]) -> dict[str, str]:
    return {key: tag for key, tag in stored.items() if langcodes.tag_is_valid(tag)}


def note_language(folders: DataFolders, voice: str, tag: str) -> None:
    """Remember it; "" forgets it. Raises Refusal for what is no language."""
    if tag and not langcodes.tag_is_valid(tag):
        raise Refusal("unknown_choice")
    path = folders.state / "studio-languages.json"
    with FileLock(f"{path}.lock"):
        now = languages_of(folders) | {voice: tag}
        with atomic_path(path) as temporary:
            told = {key: language for key, language in now.items() if language}
            temporary.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
