"""Tags by which people find voices and presenters again, in the register ``tags``. No clip hangs on them."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from heygem_pipeline.errors import TagUnusable
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.printable_text import is_whole, shown
from heygem_pipeline.storage.register import Register

NAME = "tags"

LONGEST_TAG = 40
"""Characters."""

MOST_TAGS = 20
"""Of an upload."""


class TaggedKind(StrEnum):
    """What can have tags; a script is a voice."""

    VOICES = "voices"
    PRESENTERS = "presenters"


TagsByKey = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Tags:
    """The tags of a data folder's uploads."""

    folders: DataFolders

    def of(self, kind: TaggedKind) -> TagsByKey:
        """Key -> its tags, in order, of those that have any."""
        return self._read().get(kind, {})

    def change(
        self, kind: TaggedKind, keys: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> None:
        """Add and remove tags of uploads; a tag that differs in case alone is the same, spelled as it was first.

        Raises TagUnusable.
        """
        added = [_checked(tag) for tag in add]
        gone = {tag.casefold() for tag in map(_composed, remove)}
        with self._register.changing() as write:
            known = {one: dict(tags) for one, tags in self._read().items()}
            theirs = known.setdefault(kind, {})
            spelled = {tag.casefold(): tag for tags in theirs.values() for tag in tags}
            wanted = {tag.casefold(): spelled.get(tag.casefold(), tag) for tag in added}
            for key in keys:
                before = {tag.casefold(): tag for tag in theirs.get(key, ())}
                now = [tag for folded, tag in (before | wanted).items() if folded not in gone]
                if len(now) > MOST_TAGS:
                    raise TagUnusable("tag.too_many", name=key, limit=MOST_TAGS)
                theirs[key] = tuple(sorted(now, key=str.casefold))
            write({one: {key: tags for key, tags in all_of.items() if tags} for one, all_of in known.items()})

    def put(self, kind: TaggedKind, key: str, tags: Iterable[str]) -> None:
        """Have these tags and no others. Raises TagUnusable."""
        tags = list(tags)
        kept = {_composed(tag).casefold() for tag in tags}
        before = self.of(kind).get(key, ())
        self.change(kind, [key], tags, [tag for tag in before if tag.casefold() not in kept])

    def remove(self, kind: TaggedKind, key: str) -> None:
        """Remove them, with their upload."""
        tags = self.of(kind).get(key)
        if tags:
            self.change(kind, [key], remove=tags)

    @property
    def _register(self) -> Register:
        return self.folders.register(NAME)

    def _read(self) -> dict[TaggedKind, dict[str, tuple[str, ...]]]:
        return self._register.read(_understood, {})


def _understood(stored: dict[str, dict[str, list[str]]]) -> dict[TaggedKind, dict[str, tuple[str, ...]]]:
    return {TaggedKind(kind): {key: tuple(tags) for key, tags in theirs.items()} for kind, theirs in stored.items()}


def _composed(tag: str) -> str:
    return " ".join(unicodedata.normalize("NFC", tag).split())


def _checked(tag: str) -> str:
    composed = _composed(tag)
    if not 0 < len(composed) <= LONGEST_TAG or not is_whole(composed) or "," in composed:
        raise TagUnusable("tag.unusable", tag=shown(tag[: 2 * LONGEST_TAG]), limit=LONGEST_TAG)
    return composed
