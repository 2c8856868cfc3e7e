"""A value for each clip, as a table: a row a voice, a column a presenter."""

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from itertools import chain
from typing import TypeVar

from heygem_pipeline.storage.clip_key import ClipKey

Value = TypeVar("Value")


class ClipTable(Mapping[ClipKey, Value]):
    """Reads as a mapping of clips, in order of the rows; only rows are stored.

    Who goes over a hundred thousand clips goes over the rows: to make a key for each takes longer than all else.

    Attributes:
        rows: voice -> presenter -> value. Voices may share one row.
    """

    def __init__(self, rows: Mapping[str, Mapping[str, Value]]) -> None:
        self.rows = rows

    @classmethod
    def of(cls, pairs: Iterable[tuple[ClipKey, Value]]) -> "ClipTable[Value]":
        """The table of these clips."""
        rows: dict[str, dict[str, Value]] = {}
        for clip, value in pairs:
            rows.setdefault(clip.voice, {})[clip.presenter] = value
        return cls(rows)

    def __getitem__(self, clip: ClipKey) -> Value:
        return self.rows[clip.voice][clip.presenter]

    def __contains__(self, clip: object) -> bool:
        return isinstance(clip, ClipKey) and clip.presenter in self.rows.get(clip.voice, {})

    def __iter__(self) -> Iterator[ClipKey]:
        return (ClipKey(voice, presenter) for voice, row in self.rows.items() for presenter in row)

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))

    def values(self) -> ValuesView[Value]:
        """The values alone."""
        return _Values(self)

    def items(self) -> ItemsView[ClipKey, Value]:
        """Clips and values."""
        return _Items(self)


class _Values(ValuesView[Value]):
    _mapping: ClipTable[Value]

    def __iter__(self) -> Iterator[Value]:
        return chain.from_iterable(row.values() for row in self._mapping.rows.values())


class _Items(ItemsView[ClipKey, Value]):
    _mapping: ClipTable[Value]

    def __iter__(self) -> Iterator[tuple[ClipKey, Value]]:
        for voice, row in self._mapping.rows.items():
            for presenter, value in row.items():
                yield ClipKey(voice, presenter), value
