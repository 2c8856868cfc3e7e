"""How long pruning takes after 2 000 clips: ``python benchmarks/retention.py [FOLDER]``.

Files, events and runs are made up, in a folder of its own; Dagster's instance, the planner and the pruning are real.
"""

import os
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter, time
from uuid import uuid4

import dagster as dg
from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus
from dagster._core.events import StepMaterializationData
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

from benchmarks.synthetic_uploads import make_up, usual_rendering
from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.operations.retention import prune
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.materializations import VERSION_TAG
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.storage.version_strings import clip_version

VOICES, PRESENTERS = 100, 20
PATCH_BYTES = 10_000
DAY = 24 * 3600.0


def main() -> None:
    """Make the folder up, prune it some days later, and print the figures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else mkdtemp(prefix="retention-"))
    os.environ["HEYGEM_DATA"] = str(folder / "data")
    os.environ["HEYGEM_KEEP_OUTPUTS_DAYS"] = "60"
    settings.cache_clear()
    folders = data_folders()
    with open_instance(folders) as instance:
        started = perf_counter()
        fill(instance, folders)
        print(
            f"{VOICES * PRESENTERS} clips made up in {perf_counter() - started:.0f} s; {size_of(folder) / 1e6:.0f} MB"
        )
        for name, days, dry_run in (
            ("dry run", 40, True),
            ("patches and runs", 40, False),
            ("again", 40, False),
            ("outputs", 80, False),
        ):
            started = perf_counter()
            pruned = prune(instance, folders, settings(), dry_run, now=time() + days * DAY)
            print(f"{name}: {perf_counter() - started:.2f} s; {'; '.join(map(str, pruned)) or 'nothing'}")
            counts = plan(instance, folders, settings()).counts
            print(f"  the planner says {dict(counts)}; {size_of(folder) / 1e6:.0f} MB")
    shutil.rmtree(folder)


def fill(instance: dg.DagsterInstance, folders: DataFolders) -> None:
    """Every clip is finished, its patches lie there, and its run is recorded with the materialization."""
    voices, presenters = make_up(folders, VOICES, PRESENTERS)
    rendering = usual_rendering()
    job = graph_definitions().resolve_implicit_global_asset_job_def()
    for voice_key, voice in voices.items():
        for presenter_key, presenter in presenters.items():
            clip = ClipKey(voice_key, presenter_key)
            for path, size in (
                (folders.patches(clip), PATCH_BYTES),
                (folders.clip(clip), 0),
                (folders.report(clip), 0),
            ):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(bytes(size))
            version = clip_version(voice.fingerprint, presenter.fingerprint, rendering)
            record(instance, job, clip.partition, version)


def record(instance: dg.DagsterInstance, job: dg.JobDefinition, key: str, version: str) -> None:
    """Record a run that made a clip."""
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    run_id = str(uuid4())
    known = Path(storage.path_for_shard("empty")).with_suffix("")
    if known.exists():
        # Dagster takes a quarter of a second to make a run's database.
        shutil.copyfile(known, storage.path_for_shard(run_id))
    else:
        storage.get_logs_for_run(run_id)
        shutil.copyfile(storage.path_for_shard(run_id), known)
    instance.create_run_for_job(
        job,
        run_id=run_id,
        status=DagsterRunStatus.SUCCESS,
        tags={"dagster/partition": key},
        asset_selection=frozenset([dg.AssetKey("generated_frames"), dg.AssetKey("encoded_video")]),
    )
    made = dg.AssetMaterialization("encoded_video", partition=key, tags={VERSION_TAG: version})
    event = DagsterEvent(
        DagsterEventType.ASSET_MATERIALIZATION.value, "made_up", event_specific_data=StepMaterializationData(made)
    )
    instance.report_dagster_event(event, run_id)


def size_of(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
