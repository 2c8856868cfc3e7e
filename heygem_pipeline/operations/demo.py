"""The demo: two voices x two presenters through the whole graph."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from heygem_pipeline.assets.step_progress import ProgressDisplay
from heygem_pipeline.demo.presenters import PRESENTER_FILES, make_presenters
from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.faces.tracks import read_tracks
from heygem_pipeline.operations.materialize import Materializer, Say, tell_failure
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.quality.filmstrip import strip_of_clip, write_sheet
from heygem_pipeline.quality.report import ClipReport, finished_report
from heygem_pipeline.runs.data_folder_lock import only_runner
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import multi_partition_key, take_in_uploads
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.registry import DIMENSIONS, Uploads


@dataclass(frozen=True)
class DemoClip:
    """One line of the demo's table. Either ``report`` or ``failure`` is set; ``was_there``: it was not made anew."""

    key: ClipKey
    path: Path
    report: ClipReport | None
    failure: str | None
    was_there: bool


def run_demo(
    folders: DataFolders, settings: Settings, display: ProgressDisplay, say: Say
) -> tuple[list[DemoClip], Path]:
    """Make what is missing of the four clips and their deliveries; return the clips and the contact sheet."""
    with only_runner(folders), open_instance(folders) as instance:
        names = _material(folders, settings, say)
        taken_in = take_in_uploads(instance, folders)
        materializer = Materializer(instance, display, CampaignSpecifications(folders, settings))
        uploads = Uploads(folders)
        voices, presenters = (
            [key for key in taken_in[kind].known if uploads.find(kind, key).name in names] for kind in DIMENSIONS
        )
        pairs = [ClipKey(voice, presenter) for voice, presenter in product(voices, presenters)]
        before = plan(instance, folders, settings, pairs)
        for key in voices:
            if before.voices[key].state is not State.DONE:
                say(f"Analysing the voice {key}")
                tell_failure(say, materializer.run(["audio_features"], key))
        for key in presenters:
            if before.presenters[key].state is not State.DONE:
                say(f"Tracking the presenter {key}")
                tell_failure(say, materializer.run(["face_tracks"], key))
        there = {pair for pair in pairs if before.clips[pair].state is State.DONE}
        clips = [_clip(folders, materializer, pair, pair in there, say) for pair in pairs]
        for voice_key in voices:
            anew = any(clip.key.voice == voice_key and not clip.was_there for clip in clips)
            if anew or folders.files.find(folders.delivery(voice_key)) is None:
                tell_failure(say, materializer.run(["delivery"], voice_key))
    sheet = folders.outputs / "demo-contact-sheet.png"
    strips = [
        (
            str(clip.key),
            strip_of_clip(
                folders.files.fetch(clip.path),
                read_tracks(folders.files.fetch(folders.tracks(clip.key.presenter))),
                settings,
            ),
        )
        for clip in clips
        if clip.report
    ]
    if strips:
        write_sheet(strips, sheet)
    return clips, sheet


def _material(folders: DataFolders, settings: Settings, say: Say) -> set[str]:
    """Put the demo's uploads into their folders, unless they are there; return their file names."""
    recordings = copy_recordings(folders.voices)
    wanted = [folders.presenters / name for name in PRESENTER_FILES]
    if not all(path.exists() for path in wanted):
        say("Making the presenters from public-domain photographs")
        make_presenters(folders.presenters, settings.ffmpeg)
    return {path.name for path in [*recordings, *wanted]}


def _clip(folders: DataFolders, materializer: Materializer, clip: ClipKey, there: bool, say: Say) -> DemoClip:
    path = folders.clip(clip)
    if there:
        return DemoClip(clip, path, finished_report(folders, clip), None, True)
    say(f"Making {clip}")
    failure = materializer.run(["generated_frames", "encoded_video"], multi_partition_key(clip))
    report = finished_report(folders, clip) if failure is None else None
    return DemoClip(clip, path, report, failure, False)
