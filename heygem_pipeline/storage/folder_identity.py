"""Which folder was last seen at a place: an empty one that is another is what a disk leaves that is not mounted."""

import json
from dataclasses import dataclass
from pathlib import Path

from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.state_file import read_state


@dataclass(frozen=True)
class SeenFolders:
    """The identities of folders, by name, as they were last seen with what belongs there.

    Attributes:
        file: where they are kept; none yet, and every folder counts as the one that was seen.
    """

    file: Path

    def is_away(self, name: str, folder: Path) -> bool:
        """Is a folder gone, or empty and another one than was seen?"""
        try:
            here = _identity(folder)
            return not any(folder.iterdir()) and here != read_state(self.file, dict, {}).get(name, here)
        except OSError:
            return True

    def remember(self, name: str, folder: Path) -> None:
        """This is the folder."""
        if not folder.is_dir():
            return
        seen = read_state(self.file, dict, {})
        now = seen | {name: _identity(folder)}
        if now != seen:
            with atomic_path(self.file) as temporary:
                temporary.write_text(json.dumps(now), encoding="utf-8")


def _identity(folder: Path) -> str:
    status = folder.stat()
    return f"{status.st_dev} {status.st_ino}"
