"""Previews: some seconds of a pair, asked for by people, made by a run, and never counted as the clip.

What is asked for, and what became of it, stands in one file a pair; a new wish takes the place of the last.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import time
from typing import Any

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from heygem_pipeline.clip.excerpt import Stretch
from heygem_pipeline.clip.render_spec import RenderSpec
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.start_order import PREVIEW_PRIORITY
from heygem_pipeline.planning.status import State, Status
from heygem_pipeline.runs.dagster_internals import MAX_RETRIES_TAG, PRIORITY_TAG
from heygem_pipeline.runs.failure_reasons import read_reason
from heygem_pipeline.runs.progress import read_progress
from heygem_pipeline.runs.stages import PREVIEW_JOB, PREVIEW_STEP, PREVIEW_TAG
from heygem_pipeline.settings import ClipSettings
from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX, atomic_path
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import REPORT_SUFFIX, DataFolders
from heygem_pipeline.storage.state_file import NOT_READABLE

ASKED_TAG = "heygem/asked"
"""Of a preview's run: which of the pair's wishes it is for."""

LONGEST_SECONDS = 30.0


@dataclass(frozen=True)
class PreviewWish:
    """What somebody wants to see.

    Attributes:
        begin, seconds: of the voice.
        made_with: the clip's settings.
        asked: POSIX time; tells it from the pair's other wishes.
        made: is it there? failed: why it is not.
    """

    begin: float
    seconds: float
    engine: str
    made_with: ClipSettings
    asked: float
    made: bool = False
    failed: Message | None = None

    @property
    def open(self) -> bool:
        """Is it still to be made?"""
        return not self.made and self.failed is None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        told = {
            "made_with": self.made_with.model_dump(mode="json"),
            "failed": self.failed.as_json() if self.failed is not None else None,
        }
        return {name: getattr(self, name) for name in PreviewWish.__dataclass_fields__} | told

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "PreviewWish":
        """What ``as_json`` made."""
        failed = stored["failed"]
        told = {
            "made_with": ClipSettings.model_validate(stored["made_with"]),
            "failed": Message.from_json(failed) if failed is not None else None,
        }
        return PreviewWish(**{**stored, **told})


def read_wish(folders: DataFolders, clip: ClipKey) -> PreviewWish | None:
    """The latest wish for a pair; None where there is none."""
    with suppress(FileNotFoundError, *NOT_READABLE):
        return PreviewWish.from_json(
            json.loads(folders.files.fetch(folders.preview_wish(clip)).read_text(encoding="utf-8"))
        )
    return None


def ask_for_preview(
    instance: dg.DagsterInstance,
    folders: DataFolders,
    clip: ClipKey,
    stretch: Stretch,
    made: RenderSpec,
) -> None:
    """Have a preview made of a pair, unless the same one is on its way."""
    wish = PreviewWish(stretch.begin or 0.0, min(stretch.seconds, LONGEST_SECONDS), made.engine, made.settings, time())
    before, status = read_wish(folders, clip), preview_status(instance, folders, clip)
    under_way = status is not None and not status.settled
    if before is None or not under_way or not _same(before, wish):
        _write(folders, clip, wish)


def _same(before: PreviewWish, wish: PreviewWish) -> bool:
    return replace(before, asked=wish.asked, made=wish.made, failed=wish.failed) == wish


def settle(folders: DataFolders, clip: ClipKey, wish: PreviewWish, failed: Message | None = None) -> None:
    """Note what became of a wish, unless another has taken its place."""
    now = read_wish(folders, clip)
    if now is not None and now.asked == wish.asked:
        _write(folders, clip, replace(wish, made=failed is None, failed=failed))


def _write(folders: DataFolders, clip: ClipKey, wish: PreviewWish) -> None:
    with atomic_path(folders.preview_wish(clip)) as temporary:
        temporary.write_text(json.dumps(wish.as_json(), ensure_ascii=False), encoding="utf-8")
    folders.files.publish(folders.preview_wish(clip))


def open_wishes(folders: DataFolders) -> list[tuple[ClipKey, PreviewWish]]:
    """Those still to be made, in the order they were asked for."""
    paths = (one.path for one in folders.files.below(folders.previews))
    pairs = (ClipKey(path.parent.name, path.stem) for path in paths if _is_wish(path))
    found = [(clip, wish) for clip in pairs if (wish := read_wish(folders, clip)) is not None and wish.open]
    return sorted(found, key=lambda one: one[1].asked)


def _is_wish(path: Path) -> bool:
    return path.suffix == REPORT_SUFFIX and not path.name.startswith(TEMPORARY_PREFIX)


def preview_runs(folders: DataFolders) -> list[dg.RunRequest]:
    """Ask for a run of each; Dagster starts one with the same key only once."""
    return [
        dg.RunRequest(
            run_key=f"{clip.partition} {wish.asked}",
            job_name=PREVIEW_JOB,
            run_config={"ops": {PREVIEW_STEP: {"config": asdict(clip)}}},
            tags={
                PREVIEW_TAG: clip.partition,
                ASKED_TAG: str(wish.asked),
                PRIORITY_TAG: PREVIEW_PRIORITY,
                MAX_RETRIES_TAG: "0",
            },
        )
        for clip, wish in open_wishes(folders)
    ]


def preview_status(instance: dg.DagsterInstance, folders: DataFolders, clip: ClipKey) -> Status | None:
    """Where the latest preview of a pair stands; None where nobody asked for one, or it has been removed."""
    wish = read_wish(folders, clip)
    if wish is None:
        return None
    if wish.failed is not None:
        return Status(State.FAILED, wish.failed)
    if wish.made:
        return Status(State.DONE) if folders.files.find(folders.preview(clip)) is not None else None
    tags = {PREVIEW_TAG: clip.partition, ASKED_TAG: str(wish.asked)}
    run = next(iter(instance.get_runs(RunsFilter(tags=tags), limit=1)), None)
    if run is None:
        return Status(State.WAITING)
    if run.is_finished:
        # A run that was killed could note nothing.
        return Status(State.FAILED, read_reason(instance, run.run_id), run.run_id)
    if run.status in (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED):
        return Status(State.QUEUED, run_id=run.run_id)
    progress = read_progress(folders, run.run_id)
    return Status(State.RUNNING, run_id=run.run_id, share=progress.share if progress is not None else None)
