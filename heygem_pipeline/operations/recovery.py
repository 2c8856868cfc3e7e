"""After a power cut: runs nobody works on are failed, their pool slots freed, their half-written files deleted.

A run that dies while the rest works is noticed by Dagster (``run_monitoring`` of ``dagster.yaml``), in a cluster by
``cluster_watch.py``; what it has left half-written goes at the next start, or after a day (``retention_files.py``).
"""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from heygem_pipeline.clip.sidecar import is_photograph
from heygem_pipeline.operations.cluster_identity import announce
from heygem_pipeline.runs.cluster_queues import IN_A_WORKER
from heygem_pipeline.runs.failure_reasons import STOPPED, reason_tag
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.log_file import note
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.runs.progress import progress_files
from heygem_pipeline.storage.atomic import TEMPORARY_PREFIX
from heygem_pipeline.storage.ballast_file import keep_ballast
from heygem_pipeline.storage.paths import DataFolders

if TYPE_CHECKING:
    import psutil

GRACE = 5.0
"""Seconds."""

MOST_ROUNDS = 3

ABANDONED = "The machine or the pipeline stopped while this run was working."

ALIVE = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


def recover(folders: DataFolders, spare_page: bool = False) -> None:
    """Set right what a power cut or a kill left, and take in what was uploaded since; to be called holding the lock.

    Args:
        spare_page: a page that is up stays up. It works on no run; a service manager started it and looks after it.
    """
    with open_instance(folders) as instance:
        if folders.broker:
            announce(folders)
        end_leftover_processes(folders, spare_page)
        if not folders.broker:
            # A cluster's workers go on meanwhile; what a dead one leaves is noticed by its silence.
            fail_abandoned_runs(instance, folders)
            remove_half_written(folders)
        # The settings say whether new photographs move: the sensor, which knows them, takes those in.
        take_in_uploads(instance, folders, lambda path: not is_photograph(path))
    keep_ballast(folders)


def end_leftover_processes(folders: DataFolders, spare_page: bool = False, grace: float = GRACE) -> None:
    """End Dagster's processes that still work on this data folder: runs, code servers, an orphaned daemon or page.

    They are known by HEYGEM_STATE in the environment they were started with. A run told to stop (SIGTERM) records that
    it failed; what does not stop within ``grace`` seconds is killed, with 0 at once and told nothing.
    """
    import psutil

    # A code server may have begun one more run before it was told.
    for _ in range(MOST_ROUNDS):
        ours = _leftover_processes(folders, spare_page)
        if not ours:
            return
        for process in ours if grace else ():
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in psutil.wait_procs(ours, timeout=grace)[1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(ours, timeout=GRACE)


def _leftover_processes(folders: DataFolders, spare_page: bool) -> list["psutil.Process"]:
    import psutil

    ours = [process for process in psutil.process_iter() if _works_on(process, folders)]
    if spare_page:
        pages = [process for process in ours if _is_page(process)]
        ours = [process for process in ours if process not in pages and not _is_below(process, pages)]
    return ours


def _works_on(process: "psutil.Process", folders: DataFolders) -> bool:
    import psutil

    try:
        if process.pid == os.getpid():
            return False
        command = process.cmdline()
        # Code servers start runs by multiprocessing, and runs copy their output by tail; neither names Dagster.
        is_dagster = command[:2] == ["tail", "-F"] or any(
            name in part for part in command[:4] for name in ("dagster", "multiprocessing")
        )
        environment = process.environ()
        # A worker of the same machine and its runs are nobody's leftovers.
        return is_dagster and environment.get("HEYGEM_STATE") == str(folders.state) and IN_A_WORKER not in environment
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _is_page(process: "psutil.Process") -> bool:
    import psutil

    with suppress(psutil.NoSuchProcess):
        return any(part.endswith("dagster_webserver") for part in process.cmdline()[:4])
    return False


def _is_below(process: "psutil.Process", ancestors: Sequence["psutil.Process"]) -> bool:
    import psutil

    with suppress(psutil.NoSuchProcess):
        return any(parent in ancestors for parent in process.parents())
    return False


def remove_half_written(folders: DataFolders) -> None:
    """Delete what killed runs were writing; only to be called while nothing writes into the data folder."""
    for left in progress_files(folders):
        left.unlink(missing_ok=True)
    for abandoned in folders.root.rglob(f"{TEMPORARY_PREFIX}*"):
        abandoned.unlink(missing_ok=True)


def fail_abandoned_runs(instance: dg.DagsterInstance, folders: DataFolders) -> list[str]:
    """Fail every run that is marked as running; only to be called while no daemon and no run process is alive.

    Dagster's default launcher has no health check: such a run would keep its pool slot for ever.
    """
    abandoned = [run.run_id for run in instance.get_runs(RunsFilter(statuses=ALIVE))]
    for run_id in abandoned:
        run = instance.get_run_by_id(run_id)
        if run is not None:
            # The reason first: a planner at work beside this would take a failed run without one for killed.
            instance.add_run_tags(run_id, reason_tag(STOPPED))
            instance.report_run_failed(run, ABANDONED)
            note(folders, ABANDONED, "recovery", run, logging.ERROR)
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return abandoned
