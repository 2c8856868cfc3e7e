"""What page and daemon cost: ``python -m benchmarks.operation [clips|uploads] [N]``; without a word, both.

clips: N (10) voices x N presenters made by ``heygem up``, against plain library calls for the same, one after another.
uploads: a look of the sensors at 5 000 files, first and when nothing has changed. The planner: benchmarks/planner.py.
Timings depend on what else the machine does: the load is printed beside them.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from statistics import mean
from tempfile import mkdtemp
from time import monotonic, perf_counter, sleep

import dagster as dg

from heygem_pipeline.clip.finish import MouthDrawing, finish_clip
from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import track_presenter
from heygem_pipeline.clip.voice import analyse_voice
from heygem_pipeline.definitions import defs
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.orchestration.sensors import clips, uploads
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.uploads.settling import FILES_A_LOOK
from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice
from heygem_pipeline_tests.served import serving

SIZE = 10
"""Voices, and presenters."""

SECONDS = 1.0
"""Length of a voice."""

PORT = 39_217
FILES = 5000
LONGEST = 3600.0


def main() -> None:
    """Run the parts that are named."""
    size = int(sys.argv[2]) if len(sys.argv) > 2 else SIZE
    for part in sys.argv[1:2] or ("clips", "uploads"):
        folder = Path(mkdtemp(prefix=f"operation-{part}-"))
        os.environ["HEYGEM_DATA"] = str(folder / "data")
        os.environ["HEYGEM_AUTOMATIC"] = "clips"
        settings.cache_clear()
        folders = data_folders()
        folders.make()
        print(f"{part}; load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
        if part == "clips":
            cost_of_a_clip(folders, size)
        else:
            looks(folders)
        shutil.rmtree(folder)


def cost_of_a_clip(folders: DataFolders, size: int) -> None:
    """Print seconds a clip, from the first upload's being there to the last clip's."""
    for number in range(size):
        write_voice(folders.voices / f"voice {number}.wav", SECONDS, 16_000 + number)
        write_video(folders.presenters / f"presenter {number}.mp4", swaying_presenter())
    plain = plain_calls(folders)
    count = size * size
    began = monotonic()
    with serving(PORT, folders.root.parent / "up.log") as (up, _), open_instance(folders) as instance:
        while plan(instance, folders, settings()).counts[State.DONE] < count:
            if monotonic() - began > LONGEST:
                raise TimeoutError(plan(instance, folders, settings()).counts)
            sleep(0.5)
        served = monotonic() - began
        records = instance.get_run_records(dg.RunsFilter(job_name="make_clip"))
        first, last = (f(record.start_time or 0.0 for record in records) for f in (min, max))
        alone = mean((record.end_time or 0.0) - (record.start_time or 0.0) for record in records)
        up.send_signal(signal.SIGINT)
        up.wait(60)
    print(f"{size} voices x {size} presenters, each clip {SECONDS:g} s")
    print(f"plain calls: {plain:.1f} s for {count} clips and their analyses, {plain / count:.2f} s a clip")
    print(f"page and daemon: {served:.1f} s from the start of heygem up, {served / count:.2f} s a clip")
    print(f"  above the plain calls: {(served - plain) / count:.2f} s a clip (aim: under 3)")
    print(f"  once everything is analysed: a run every {(last - first) / (count - 1):.2f} s, each takes {alone:.1f} s")


def plain_calls(folders: DataFolders) -> float:
    """Seconds of the same work in this process."""
    chosen, began = settings(), perf_counter()
    engine = load_engine(chosen.engine, chosen)
    voices = [analyse_voice(path, chosen) for path in sorted(folders.voices.iterdir())]
    presenters = [track_presenter(path, settings=chosen) for path in sorted(folders.presenters.iterdir())]
    for voice in voices:
        for presenter in presenters:
            patches = draw_mouths(voice, presenter, engine)
            output = folders.root.parent / "clip.mp4"
            finish_clip(voice, presenter, MouthDrawing(patches, engine), output, made_with=chosen)
    return perf_counter() - began


def looks(folders: DataFolders) -> None:
    """Print seconds of a look of each sensor at 5 000 voices."""
    for number in range(FILES):
        (folders.voices / f"voice {number}.wav").write_bytes(b"voice %d" % number)
    sleep(5)  # until they have stood still
    cursor = None
    with open_instance(folders) as instance:
        taking_in = []
        for _ in range(FILES // FILES_A_LOOK + 2):
            with dg.build_sensor_context(instance, cursor=cursor) as context:
                began = perf_counter()
                result = uploads(context)
                taking_in.append(perf_counter() - began)
            assert isinstance(result, dg.SensorResult)
            cursor = result.cursor
        print(f"uploads: {max(taking_in[:-2]):.2f} s at most with {FILES_A_LOOK} new files among {FILES}")
        print(f"uploads: {taking_in[-1]:.2f} s when nothing has changed (aim: under 1)")
        for again in ("first", "again", "again"):
            with dg.build_sensor_context(instance, definitions=defs) as context:
                began = perf_counter()
                clips(context)
                print(f"clips, {again}: {perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
