"""How long the planner takes at 1 000 voices x 100 presenters, 5 000 of whose clips failed.

Called as ``python benchmarks/planner.py [FOLDER]``.

The uploads, the finished clips and Dagster's records of them are made up, in a folder of its own; the planner is real.
First: a process that knows nothing yet, as ``heygem status`` is. Again: a sensor, which remembers what it has read.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter, process_time

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log.schema import AssetEventTagsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.utils import make_new_run_id

from benchmarks.synthetic_uploads import make_up, usual_rendering
from heygem_pipeline.clip.presenter import current_tracker
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.run_inputs import RunInputs
from heygem_pipeline.runs.failure_reasons import reason_tag
from heygem_pipeline.runs.history import INPUTS_TAG
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.materializations import VERSION_TAG
from heygem_pipeline.settings import settings
from heygem_pipeline.speech.analysis import ANALYSIS_VERSION
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.storage.version_strings import clip_version, presenter_version, voice_version
from heygem_pipeline.uploads.registry import UploadKind, Uploads

VOICES, PRESENTERS = 1000, 100
FAILURES = 5000
"""Clips of the voices without clips that failed, each with its reason noted, as the planner notes it."""

MISSING = 10
"""One voice in so many has no clip yet; of the others all deliveries are to be made."""


def main() -> None:
    """Make the folder up, plan, and print the figures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else mkdtemp(prefix="planner-"))
    os.environ["HEYGEM_DATA"] = str(folder / "data")
    settings.cache_clear()
    folders = data_folders()
    with open_instance(folders) as instance:
        fill(instance, folders)
        print(f"{VOICES} voices x {PRESENTERS} presenters; seconds (of which processor)")
        for name in ("first", "again", "again"):
            wall, own = perf_counter(), process_time()
            found = plan(instance, folders, settings())
            print(f"{name}: {perf_counter() - wall:.2f} ({process_time() - own:.2f}), {dict(found.counts)}")
        print(f"uploads looked at: {look(folders):.2f}")
    shutil.rmtree(folder)


def look(folders: DataFolders) -> float:
    """Seconds of a look at all uploads, none of which has changed."""
    started = perf_counter()
    for kind in UploadKind:
        Uploads(folders).take_in(kind)
    return perf_counter() - started


def fill(instance: dg.DagsterInstance, folders: DataFolders) -> None:
    """Make uploads, files and records up."""
    voices, presenters = make_up(folders, VOICES, PRESENTERS)
    tracker, rendering = current_tracker(settings()), usual_rendering()

    def clips() -> Iterator[tuple[str, str]]:
        for number, (voice_key, voice) in enumerate(voices.items()):
            if number % MISSING:
                for presenter_key, presenter in presenters.items():
                    clip = ClipKey(voice_key, presenter_key)
                    touch(folders.clip(clip), folders.report(clip))
                    yield clip.partition, clip_version(voice.fingerprint, presenter.fingerprint, rendering)

    touch(*map(folders.voice, voices), *map(folders.tracks, presenters))
    record(
        instance,
        "audio_features",
        ((key, voice_version(upload.fingerprint, ANALYSIS_VERSION)) for key, upload in voices.items()),
    )
    record(
        instance,
        "face_tracks",
        ((key, presenter_version(upload.fingerprint, tracker)) for key, upload in presenters.items()),
    )
    record(instance, "encoded_video", clips())
    unmade = (
        ClipKey(voice_key, presenter_key).partition
        for number, voice_key in enumerate(voices)
        if number % MISSING == 0
        for presenter_key in presenters
    )
    inputs = RunInputs(voices, presenters, dict.fromkeys(presenters, tracker), set(), settings(), {}, {})
    for key in islice(unmade, FAILURES):
        tags = {PARTITION_NAME_TAG: key, INPUTS_TAG: inputs.of_clip(ClipKey.from_partition(key), ())}
        run = dg.DagsterRun(
            "__ASSET_JOB",
            make_new_run_id(),
            status=dg.DagsterRunStatus.FAILURE,
            asset_selection=frozenset({dg.AssetKey("generated_frames"), dg.AssetKey("encoded_video")}),
            tags=tags | reason_tag(Message("face.not_found", file="a file")),
        )
        instance.run_storage.add_run(run)


def touch(*files: Path) -> None:
    """Make empty files."""
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def record(instance: dg.DagsterInstance, asset: str, versions: Iterator[tuple[str, str]]) -> None:
    """Record a materialization of each partition: a real one, and copies of it."""
    key, version = next(versions)
    event = dg.AssetMaterialization(asset, partition=key, tags={VERSION_TAG: version})
    instance.report_runless_asset_event(event)
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    with storage.index_connection() as connection:
        newest = connection.execute(
            db.select(SqlEventLogStorageTable).order_by(SqlEventLogStorageTable.c.id.desc()).limit(1)
        )
        row = dict(newest.mappings().one())
        events, tags = [], []
        for number, (key, version) in enumerate(versions, row["id"] + 1):
            events.append(row | {"id": number, "partition": key})
            tags.append(
                {
                    "event_id": number,
                    "asset_key": row["asset_key"],
                    "key": VERSION_TAG,
                    "value": version,
                    "event_timestamp": row["timestamp"],
                }
            )
        connection.execute(SqlEventLogStorageTable.insert(), events)
        connection.execute(AssetEventTagsTable.insert(), tags)


if __name__ == "__main__":
    main()
