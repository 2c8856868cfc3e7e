"""The state of the pipeline, read for all who watch: at most every two seconds, and only while somebody does."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic, time
from typing import Any

from starlette.concurrency import run_in_threadpool

from heygem_pipeline.campaigns.campaigns_folder import load_campaigns
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.planning.time_left import Estimate, estimate_of
from heygem_pipeline.runs.cluster_workers import workers_of
from heygem_pipeline.runs.data_folder_lock import is_served
from heygem_pipeline.runs.history import began
from heygem_pipeline.runs.instance import Instance
from heygem_pipeline.runs.latest_records import latest_records
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.paths import SIDECAR_SUFFIX, DataFolders
from heygem_pipeline.studio.first_look_worker import FirstLooks
from heygem_pipeline.studio.overview import PipelineState, overview
from heygem_pipeline.uploads.registry import DIMENSIONS, UploadKind, Uploads

SECONDS_BETWEEN_READINGS = 2.0

SECONDS_UNCHANGED = 20.0
"""The planner is asked again after that even if no file it reads has changed: the disk may have filled up."""

SECONDS_BETWEEN_ESTIMATES = 60.0


class Snapshot:
    """What is shown now."""

    def __init__(self, instance: Instance, folders: DataFolders, settings: Settings, first_looks: FirstLooks) -> None:
        self.instance = instance
        self.folders = folders
        self.settings = settings
        self.uploads = Uploads(folders)
        self._first_looks = first_looks
        self._lock = asyncio.Lock()
        self._state: PipelineState | None = None
        self._shown: dict[str, dict[str, Any]] = {}
        self._changes: tuple[tuple[str, int, int], ...] = ()
        self._read_at = self._planned = self._estimated = -1e9
        self._estimate: Estimate | None = None

    async def shown(self, language: str) -> dict[str, Any]:
        """What the page shows in this language, not older than two seconds."""
        async with self._lock:
            if monotonic() - self._read_at >= SECONDS_BETWEEN_READINGS:
                await self._refresh()
                self._read_at = monotonic()
            if language not in self._shown and self._state is not None:
                self._shown[language] = await run_in_threadpool(overview, self._state, self._first_looks, language)
            return self._shown[language]

    async def plan(self) -> Plan:
        """Where everything stands at this moment, for what somebody wants done."""
        return await run_in_threadpool(plan, self.instance, self.folders, self.settings)

    def expire(self) -> None:
        """Something was done: read again."""
        self._read_at = self._planned = -1e9

    async def _refresh(self) -> None:
        changes = await run_in_threadpool(lambda: tuple(self._files_that_change()))
        unchanged = changes == self._changes and not self._first_looks.busy
        if unchanged and monotonic() - self._planned < SECONDS_UNCHANGED:
            return
        self._state = await run_in_threadpool(self._read)
        for kind in DIMENSIONS:
            for path in self.uploads.files(kind):
                if self._first_looks.known(kind, path) is None:
                    self._first_looks.want(kind, path)
        self._shown = {}
        self._changes, self._planned = changes, monotonic()

    def _read(self) -> PipelineState:
        if self._estimate is None or monotonic() - self._estimated >= SECONDS_BETWEEN_ESTIMATES:
            self._estimate = estimate_of(self.instance, self.folders)
            self._estimated = monotonic()
        found = plan(self.instance, self.folders, self.settings)
        running = [s.run_id for s in found.clips.values() if s.state is State.RUNNING and s.run_id]
        return PipelineState(
            found=found,
            uploads=self.uploads,
            known={kind: self.uploads.known(kind) for kind in UploadKind},
            settings=self.settings,
            campaigns=load_campaigns(self.folders.campaigns, default_render_spec(self.settings)),
            began=began(self.instance, running),
            estimate=self._estimate,
            # To ask makes the folder where it is gone, and an empty one must not take the place of a disk.
            served=self.folders.lock_file.exists() and is_served(self.folders),
            now=time(),
            workers=workers_of(self.folders) if self.folders.broker else None,
        )

    def _files_that_change(self) -> Iterator[tuple[str, int, int]]:
        """What changes whenever anything the page shows does."""
        folders = self.folders
        yield from folders.progress_marks
        for path in (
            folders.voices,
            folders.scripts,
            folders.presenters,
            folders.campaigns,
            *sorted(folders.campaigns.glob("*.yaml")),
        ):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            yield path.name, status.st_mtime_ns, status.st_size
        # What stands beside uploads says how they are handled; a change of it alone moves no folder's time.
        for folder in (folders.voices, folders.presenters):
            for path in folder.glob(f"*{SIDECAR_SUFFIX}"):
                with suppress(FileNotFoundError):
                    status = path.stat()
                    yield path.name, status.st_mtime_ns, status.st_size
        registers = (folders.register(name) for name in ("uploads", "requests", "studio-languages", "tags"))
        yield from (mark for register in registers if (mark := register.mark) is not None)
        yield from latest_records(self.instance, folders)
        yield from ((f"{worker.name} {worker.state} {worker.runs}", 0, 0) for worker in workers_of(folders))
