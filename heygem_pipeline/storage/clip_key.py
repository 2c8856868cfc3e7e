"""What names a clip: the keys of its voice and its presenter."""

from dataclasses import dataclass

BETWEEN = "|"
"""Stands in no key of an upload (``storage/keys.py``)."""

CLIP_SUFFIX = ".mp4"


@dataclass(frozen=True, order=True, slots=True)
class ClipKey:
    """One clip.

    Attributes:
        voice: its partition key.
        presenter: its partition key.
    """

    voice: str
    presenter: str

    @classmethod
    def from_partition(cls, key: str) -> "ClipKey":
        """The clip of a partition key as Dagster writes it in tags and events: ``voice|presenter``."""
        voice, _, presenter = key.partition(BETWEEN)
        return cls(voice, presenter)

    @classmethod
    def from_label(cls, label: str) -> "ClipKey | None":
        """The clip that somebody names as ``label`` does, by its file in the outputs, or as Dagster does."""
        voice, _, presenter = label.removesuffix(CLIP_SUFFIX).replace(BETWEEN, "/").partition("/")
        return cls(voice, presenter) if voice and presenter else None

    @property
    def partition(self) -> str:
        """Its partition key, as Dagster writes it in tags and events."""
        return partition_of(self.voice, self.presenter)

    @property
    def label(self) -> str:
        """The way its file lies in the outputs: ``voice/presenter``."""
        return f"{self.voice}/{self.presenter}"

    def __str__(self) -> str:
        """As sentences say it."""
        return f"{self.voice} x {self.presenter}"


def partition_of(voice: str, presenter: str) -> str:
    """The partition key of a clip, for those who look up so many that a ``ClipKey`` of each takes too long."""
    return f"{voice}{BETWEEN}{presenter}"


def label_of(partition: str) -> str:
    """A partition key of a clip, a voice or a presenter, as people read it."""
    return partition.replace(BETWEEN, "/")
