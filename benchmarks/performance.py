"""How fast and how large: each figure against what it is compared with, in one run.

    python benchmarks/performance.py            all parts
    python benchmarks/performance.py clip       one part: clip, tracking, second-voice, half-a-minute, length, dagster

Timings depend on the machine and on what else runs on it: read the ratios. Every part prints the load before it began.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.clip.finish import draw_for, finish_clip
from heygem_pipeline.clip.presenter import Presenter, load_presenter, track_presenter
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.demo.presenters import make_presenters
from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.faces.tracks import TrackedUpload
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.media.encode import encode_clip
from heygem_pipeline.media.ffmpeg_program import find_ffmpeg
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.operations.materialize import Materializer
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import data_folders

RUNS = 3
console = Console(width=110)
app = typer.Typer(add_completion=False)


class Material:
    """The demo's two voices and two presenters, 1280 x 720 at 25 frames/s, made once in a scratch folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.voices = copy_recordings(folder)
        self.presenters = make_presenters(folder)


def clip_speed(material: Material) -> None:
    """A clip of a tracked presenter, end to end, against encoding the same frames alone."""
    voice, presenter = analyse_voice(material.voices[0]), track_presenter(material.presenters[0])
    reports = [_finish(voice, presenter, material.folder / "clip.mp4") for _ in range(RUNS)]
    alone = [_encode_alone(voice, presenter, material.folder / "alone.mp4") for _ in range(RUNS)]
    frames = reports[0].frames
    table = _table("A 720p clip once the presenter is tracked", "stage", "frames/s, median", f"{RUNS} runs")
    for stage in ("lipsync", "encode", "sync"):
        _row(table, stage, [frames / report.seconds[stage] for report in reports])
    _row(table, "whole clip (aim: 25)", [frames / report.own_seconds for report in reports])
    _row(table, "decoding and encoding alone", [frames / seconds for seconds in alone])
    console.print(table)


def tracking_speed(material: Material) -> None:
    """Tracking at 720p, against decoding alone."""
    table = _table("Tracking a 720p presenter", "what", "frames/s, median", f"{RUNS} runs")
    rates: dict[str, list[float]] = {"tracking (aim: 15)": [], "decoding alone": []}
    for _ in range(RUNS):
        presenter = track_presenter(material.presenters[0])
        rates["tracking (aim: 15)"].append(len(presenter.tracks) / presenter.seconds)
        started = perf_counter()
        count = sum(1 for _ in FrameSequence.open(material.presenters[0]).frames())
        rates["decoding alone"].append(count / (perf_counter() - started))
    for name, values in rates.items():
        _row(table, name, values)
    console.print(table)


def second_voice(material: Material) -> None:
    """A second voice on a known presenter, against the first."""
    started = perf_counter()
    presenter = track_presenter(material.presenters[0])
    _finish(analyse_voice(material.voices[0]), presenter, material.folder / "first.mp4")
    first = perf_counter() - started
    started = perf_counter()
    _finish(analyse_voice(material.voices[1]), presenter, material.folder / "second.mp4")
    second = perf_counter() - started
    table = _table("Two voices on one presenter", "clip", "seconds", "")
    table.add_row("first voice, with tracking", f"{first:.1f}", "")
    table.add_row("second voice, no tracking", f"{second:.1f}", f"{first / second:.1f} x faster")
    console.print(table)


def half_a_minute(material: Material) -> None:
    """A clip of 30 s from a presenter of 30 s: by the clock, and seconds of all cores together.

    The next voice finds what the first has left of the presenter, as it does in a data folder.
    """
    presenter, voice = material.folder / "30.mp4", material.folder / "30.flac"
    quiet = [find_ffmpeg(), "-v", "error", "-y", "-stream_loop", "-1"]
    subprocess.run([*quiet, "-i", material.presenters[0], "-t", "30", "-c", "copy", presenter], check=True)
    subprocess.run([*quiet, "-i", material.voices[0], "-t", "30", voice], check=True)
    heard = analyse_voice(voice)
    tracking, first, following = "tracking", "first clip of a tracked presenter", "the next voice (aim: 9 s)"
    rows: dict[str, list[tuple[float, float]]] = {tracking: [], first: [], following: []}
    for number in range(RUNS):
        started, spent = perf_counter(), _core_seconds()
        seen = track_presenter(presenter)
        rows[tracking].append((perf_counter() - started, _core_seconds() - spent))
        kept = material.folder / f"{number}.lips"
        upload = TrackedUpload(seen.fingerprint, seen.tracker, kept.with_suffix(".latents"), 10**9, kept)
        seen = replace(seen, tracks=replace(seen.tracks, upload=upload))
        for clip in (first, following):
            started, spent = perf_counter(), _core_seconds()
            _finish(heard, seen, material.folder / "half.mp4")
            rows[clip].append((perf_counter() - started, _core_seconds() - spent))
    both = [tuple(np.add(*pair)) for pair in zip(rows[tracking], rows[first], strict=True)]
    rows["tracking and the first clip (aim: 15 s)"] = both
    table = _table("30 s at 720p", "what", "seconds, median", f"{RUNS} runs", "core-seconds, median")
    for name, values in rows.items():
        clock, cores = zip(*values, strict=True)
        runs = ", ".join(f"{seconds:.1f}" for seconds in clock)
        table.add_row(name, f"{median(clock):.1f}", runs, f"{median(cores):.1f}")
    console.print(table)


def length_and_memory(material: Material) -> None:
    """Clips of 75 s and 300 s at 1080p: seconds a minute of clip, and the peak memory of the process and of ffmpeg."""
    presenter = material.folder / "1080p.mp4"
    enlarge = ["-vf", "scale=1920:1080:flags=lanczos", "-crf", "18", "-preset", "veryfast", "-an", "-y", presenter]
    subprocess.run([find_ffmpeg(), "-v", "error", "-i", material.presenters[0], *enlarge], check=True)
    table = _table("Length at 1080p", "clip", "seconds a minute of clip", "peak memory, whole (limit: 1.5 GB)")
    for seconds in (75, 300):
        voice = material.folder / f"{seconds}.flac"
        loop = ["-stream_loop", "-1", "-i", material.voices[0], "-t", str(seconds), "-y", voice]
        subprocess.run([find_ffmpeg(), "-v", "error", *loop], check=True)
        spent, peak = _measured_process(voice, presenter, material.folder / f"{seconds}.mp4")
        table.add_row(f"{seconds} s", f"{spent / seconds * 60:.1f}", f"{peak / 1e9:.2f} GB")
    console.print(table)


def dagster_overhead(material: Material) -> None:
    """The same clip through Dagster, against the plain calls: what Dagster adds to a clip, a short and a longer one."""
    short = material.folder / "1.flac"
    subprocess.run([find_ffmpeg(), "-v", "error", "-y", "-i", material.voices[0], "-t", "1", short], check=True)
    for voice, aim in ((short, "1.5 s"), (material.voices[0], "3 s")):
        _dagster_overhead(material, voice, aim)


def _dagster_overhead(material: Material, spoken: Path, aim: str) -> None:
    os.environ["HEYGEM_DATA"] = str(material.folder / f"data of {spoken.stem}")
    folders = data_folders()
    folders.make()
    voice_file = shutil.copy(spoken, folders.voices)
    presenter_file = shutil.copy(material.presenters[0], folders.presenters)
    voice = analyse_voice(Path(voice_file))
    through, plain = [], []
    with open_instance(folders) as instance:
        take_in_uploads(instance, folders)
        materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(folders, settings()))
        voice_key, presenter_key = Path(voice_file).stem, Path(presenter_file).stem
        materializer.run(["audio_features"], voice_key)
        materializer.run(["face_tracks"], presenter_key)
        # What is kept of the presenter serves both.
        tracks, own_speech = folders.tracks(presenter_key), folders.presenter_speech(presenter_key)
        kept = folders.face_encodings(presenter_key), settings().encodings_bytes, folders.lip_record(presenter_key)
        presenter = load_presenter(tracks, own_speech, Path(presenter_file), settings(), *kept)
        for _ in range(RUNS):
            started = perf_counter()
            failure = materializer.run(
                ["generated_frames", "encoded_video"], multi_partition_key(ClipKey(voice_key, presenter_key))
            )
            assert failure is None, failure
            through.append(perf_counter() - started)
            started = perf_counter()
            _finish(voice, presenter, material.folder / "plain.mp4")
            plain.append(perf_counter() - started)
    title = f"What Dagster adds to a clip of {float(voice.speech.duration):.1f} s (aim: at most {aim})"
    table = _table(title, "how", "seconds, median", f"{RUNS} runs")
    _row(table, "through Dagster", through)
    _row(table, "plain calls", plain)
    _row(table, "difference, pair by pair", [a - b for a, b in zip(through, plain, strict=True)])
    console.print(table)


PARTS: dict[str, Callable[[Material], None]] = {
    "clip": clip_speed,
    "tracking": tracking_speed,
    "second-voice": second_voice,
    "half-a-minute": half_a_minute,
    "length": length_and_memory,
    "dagster": dagster_overhead,
}


@app.command()
def main(parts: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Run the parts named, or all of them."""
    with tempfile.TemporaryDirectory() as scratch:
        material = Material(Path(scratch))
        for name in parts or PARTS:
            console.print(f"{os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}")
            PARTS[name](material)


def _finish(voice: Voice, presenter: Presenter, output: Path) -> ClipReport:
    return finish_clip(voice, presenter, draw_for(voice, presenter, load_engine("warp")), output).report


def _core_seconds() -> float:
    """Of this process and of the children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _encode_alone(voice: Voice, presenter: Presenter, output: Path) -> float:
    tracks = presenter.tracks
    started = perf_counter()
    frames = (
        frame for _, frame in FrameSequence.open(presenter.path).shown(voice.speech.frame_count(tracks.frame_rate))
    )
    encode_clip(
        frames,
        frame_rate=tracks.frame_rate,
        size=tracks.size,
        sound=voice.path,
        duration=voice.speech.duration,
        destination=output,
    )
    return perf_counter() - started


def _measured_process(voice: Path, presenter: Path, output: Path) -> tuple[float, int]:
    """Seconds, and peak of the resident memory of ``heygem generate`` and its children together, bytes."""
    import psutil

    command = ["generate", "--audio", voice, "--template", presenter, "--output", output, "--json"]
    code = "from heygem_pipeline.cli.main import main; main()"
    started = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    watched, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        try:
            family = [watched, *watched.children(recursive=True)]
            peak = max(peak, sum(member.memory_info().rss for member in family))
        except psutil.NoSuchProcess:
            continue
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    assert process.returncode == 0, process.stderr.read().decode() if process.stderr else ""
    return perf_counter() - started, peak


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left")


def _row(table: Table, name: str, values: list[float]) -> None:
    table.add_row(name, f"{np.round(median(values), 1)}", ", ".join(f"{value:.1f}" for value in values))


if __name__ == "__main__":
    app()
