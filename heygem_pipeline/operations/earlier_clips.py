"""Finished clips that are kept beside those made in their place: ``outputs/<voice>/earlier/<presenter> 1.mp4``.

A clip is one partition, and what is made of it now is one file; these are files alone, of which the planner knows
nothing.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from heygem_pipeline.quality.report import ClipReport, read_report
from heygem_pipeline.runs.materializations import names_in
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.clip_key import CLIP_SUFFIX, ClipKey
from heygem_pipeline.storage.folders import DataFolders
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
            return read_report(self.report_path(folders))
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
    names = [name.removesuffix(CLIP_SUFFIX) for name in names_in(folders.earlier_clips(voice)) if _is_clip(name)]
    found = [one for name in names if (one := EarlierClip.of_name(voice, name)) is not None]
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
        finished = folders.clip(clip)
        if not finished.is_file() or not folders.report(clip).is_file():
            continue
        earlier = earlier_of(folders, clip)
        if any(_same(one.path(folders), finished) for one in earlier):
            continue
        kept.append(_keep(folders, clip, max((one.number for one in earlier), default=0) + 1))
    return kept


def _same(one: Path, other: Path) -> bool:
    mine, its = one.stat(), other.stat()
    return (mine.st_size, mine.st_mtime_ns) == (its.st_size, its.st_mtime_ns)


def _keep(folders: DataFolders, clip: ClipKey, first: int) -> EarlierClip:
    folders.earlier_clips(clip.voice).mkdir(exist_ok=True)
    for one in (EarlierClip(clip, number) for number in count(first)):
        try:
            # A new clip is another file with the same name: this one stays what it is, and takes no room.
            os.link(folders.clip(clip), one.path(folders))
        except FileExistsError:
            continue
        except OSError:
            # exFAT and some network shares know no hard links.
            with atomic_path(one.path(folders)) as temporary:
                shutil.copy2(folders.clip(clip), temporary)
        with atomic_path(one.report_path(folders)) as temporary:
            shutil.copyfile(folders.report(clip), temporary)
        return one
    raise AssertionError


def remove_earlier(folders: DataFolders, kept: Iterable[EarlierClip]) -> None:
    """Delete some of them. The folder stays: were it removed, the voice's ZIP would count as out of date."""
    for one in kept:
        one.path(folders).unlink(missing_ok=True)
        one.report_path(folders).unlink(missing_ok=True)


def all_earlier(folders: DataFolders) -> Iterator[EarlierClip]:
    """All that are kept."""
    for voice in sorted(names_in(folders.outputs)):
        yield from earlier_of_voice(folders, voice)
