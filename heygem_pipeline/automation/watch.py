"""Uploads are seen by themselves: a file counts as complete when its size and time have stood still."""

import json
from pathlib import Path
from time import time

import dagster as dg

from heygem_pipeline.assets.uploads import UploadKind, Uploads
from heygem_pipeline.automation.ingest import TakenIn, take_in_uploads
from heygem_pipeline.automation.log_file import note
from heygem_pipeline.automation.wording import shown
from heygem_pipeline.storage.folders import data_folders

SECONDS_BETWEEN_LOOKS = 5
"""Dagster's daemon looks after its sensors every 5 seconds, not more often."""

STILL_SECONDS = 4.0
"""A file whose last change is older needs no second look: the disk says that it stood still."""

FILES_A_LOOK = 200
BYTES_A_LOOK = 2 * 2**30
"""What is read in one look, so that it ends well before Dagster's limit of 60 seconds; the rest waits for the next."""

DOWNLOAD_BESIDE = (".part", ".crdownload", ".download")
"""Browsers hold a place with an empty file while the content grows in another of its name with this ending."""

NAMES_TOLD = 10


class Stillness:
    """Which files are complete, and few enough to be read in one look.

    unsettled: folder/name -> [size, time of change in nanoseconds] of those that were not, for the next look.
    """

    def __init__(self, before: dict[str, list[int]]) -> None:
        self._before = before
        self._files = FILES_A_LOOK
        self._bytes = BYTES_A_LOOK
        self.unsettled: dict[str, list[int]] = {}

    def __call__(self, path: Path) -> bool:
        """May this new or changed file be read now?"""
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        name, look = f"{path.parent.name}/{path.name}", [status.st_size, status.st_mtime_ns]
        still = self._before.get(name) == look or time() - max(status.st_ctime, status.st_mtime) >= STILL_SECONDS
        under_way = any(path.with_name(path.name + ending).exists() for ending in DOWNLOAD_BESIDE)
        # One file is read in any case, however large it is.
        room = self._files == FILES_A_LOOK or (self._files > 0 and status.st_size <= self._bytes)
        if not still or under_way or not room:
            self.unsettled[name] = look
            return False
        self._files -= 1
        self._bytes -= status.st_size
        return True


@dg.sensor(
    name="uploads",
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Gives every complete file in data/audio and data/templates its partition key; retires keys of files "
    "that are gone.",
)
def uploads(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Take in what is complete; remember in the cursor what is not."""
    folders = Uploads(data_folders())
    for kind in UploadKind:
        if not folders.folder(kind).is_dir():
            # Not the same as files that were deleted: a disk may have gone for a while.
            return dg.SensorResult(skip_reason=f"The folder {folders.folder(kind)} is not there; put it back.")
    stillness = Stillness(json.loads(context.cursor or "{}"))
    taken_in = take_in_uploads(context.instance, stillness)
    cursor, sentence = json.dumps(stillness.unsettled), _sentence(taken_in, len(stillness.unsettled))
    if any(result.added or result.retired for result in taken_in.values()):
        note(sentence, "uploads")
    return dg.SensorResult(skip_reason=sentence, cursor=cursor)


def _sentence(taken_in: dict[UploadKind, TakenIn], unsettled: int) -> str:
    told = []
    for kind, result in taken_in.items():
        for what, keys in (("new", result.added), ("gone", result.retired)):
            if keys:
                told.append(f"{kind.value}, {what}: {_named(keys)}.")
    if unsettled:
        told.append(f"{unsettled} files are new or changed and not read yet: still growing, or there were too many.")
    known = ", ".join(f"{len(result.known)} {kind.value}" for kind, result in taken_in.items())
    return " ".join(told) or f"No change: {known}."


def _named(keys: list[str]) -> str:
    rest = f" and {len(keys) - NAMES_TOLD} more" if len(keys) > NAMES_TOLD else ""
    return ", ".join(map(shown, keys[:NAMES_TOLD])) + rest
