"""Finished clips that are kept beside those made in their place: ``outputs/<voice>/earlier/<presenter> 1.mp4``.

A clip is one partition, and what is made of it now is one file; these are files alone, of which the planner knows
nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from heygem_pipeline.quality.report import ClipReport, read_report
from heygem_pipeline.storage.clip_key import CLIP_SUFFIX, ClipKey
from heygem_pipeline.storage.file_store import StoredFile
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.state_file import NOT_READABLE


@dataclass(frozen=True)
class EarlierClip:
    """A clip as it was. number: its place among those kept of it, from 1."""

    clip: ClipKey
    number: int

    def path(self, folders: DataFolders) -> Path:
        """Where it lies."""
        return folders.earlier_clips(self.clip.voice) / f"{self._stem}{CLIP_SUFFIX}"

    def report_path(self, folders: DataFolders) -> Path:
        """What was said of it when it was made; gone where somebody emptied the store."""
        return folders.earlier_reports(self.clip.voice) / f"{self._stem}.json"

    def report(self, folders: DataFolders) -> ClipReport | None:
        """Its report; None where that is gone."""
        try:
            return read_report(folders.files.fetch(self.report_path(folders)))
        except (FileNotFoundError, *NOT_READABLE):
            return None

    @property
    def _stem(self) -> str:
        return f"{self.clip.presenter} {self.number}"

    @staticmethod
    def of_name(voice: str, stem: str) -> "EarlierClip | None":
        """The one whose file is called so; None for another file."""
        presenter, _, number = stem.rpartition(" ")
        known = presenter and number.isascii() and number.isdigit() and number == str(int(number)) and number != "0"
        return EarlierClip(ClipKey(voice, presenter), int(number)) if known else None


def earlier_of_voice(folders: DataFolders, voice: str) -> list[EarlierClip]:
    """All that are kept of a voice, by presenter and number."""
    return _named(voice, folders.files.names(folders.earlier_clips(voice)))


def _named(voice: str, names: Iterable[str]) -> list[EarlierClip]:
    stems = (name.removesuffix(CLIP_SUFFIX) for name in names if _is_clip(name))
    found = [one for stem in stems if (one := EarlierClip.of_name(voice, stem)) is not None]
    return sorted(found, key=lambda one: (one.clip, one.number))


def _is_clip(name: str) -> bool:
    return name.endswith(CLIP_SUFFIX) and not name.startswith(".")


def earlier_of(folders: DataFolders, clip: ClipKey) -> list[EarlierClip]:
    """Those kept of a clip, by number."""
    return [one for one in earlier_of_voice(folders, clip.voice) if one.clip == clip]


def keep_as_they_are(folders: DataFolders, clips: Iterable[ClipKey]) -> list[EarlierClip]:
    """Keep those of the clips that are finished, each under a number of its own; return them.

    What is kept already is not kept twice.
    """
    kept = []
    for clip in clips:
        finished = folders.files.find(folders.clip(clip))
        if finished is None or folders.files.find(folders.report(clip)) is None:
            continue
        earlier = earlier_of(folders, clip)
        if any(_same(folders.files.find(one.path(folders)), finished) for one in earlier):
            continue
        kept.append(_keep(folders, clip, max((one.number for one in earlier), default=0) + 1))
    return kept


def _same(one: StoredFile | None, other: StoredFile) -> bool:
    return one is not None and (one.size, one.modified) == (other.size, other.modified)


def _keep(folders: DataFolders, clip: ClipKey, first: int) -> EarlierClip:
    for one in (EarlierClip(clip, number) for number in count(first)):
        try:
            folders.files.copy(folders.clip(clip), one.path(folders))
        except FileExistsError:
            continue
        # Of an earlier one that lost its clip alone.
        folders.files.remove(one.report_path(folders))
        folders.files.copy(folders.report(clip), one.report_path(folders))
        return one
    raise AssertionError


def remove_earlier(folders: DataFolders, kept: Iterable[EarlierClip]) -> None:
    """Delete some of them. The folder stays: were it removed, the voice's ZIP would count as out of date."""
    for one in kept:
        folders.files.remove(one.path(folders))
        folders.files.remove(one.report_path(folders))


def all_earlier(folders: DataFolders) -> Iterator[EarlierClip]:
    """All that are kept."""
    files, inside = folders.files, folders.earlier_clips("any").name
    voices = {f"{voice}/{inside}": voice for voice in files.folders(folders.outputs)}
    for place, listing in files.listings(folders.outputs, voices.keys()).items():
        yield from _named(voices[place], listing.names)
