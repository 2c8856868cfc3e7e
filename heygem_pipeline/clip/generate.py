"""One clip from two files, without a Dagster instance: the calls the assets make, one after the other."""

import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from heygem_pipeline.checkpoints.weights import weights_of
from heygem_pipeline.clip.finish import finish_clip
from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import track_presenter
from heygem_pipeline.clip.sidecar import chosen_tracker
from heygem_pipeline.clip.voice import analyse_voice
from heygem_pipeline.errors import OutputRefused, UploadMissing
from heygem_pipeline.lipsync.engines import load_engine
from heygem_pipeline.media.template import Template
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.settings import settings

StageProgress = Callable[[str, str, int, int], None]
"""Called with the stage's name, the file it makes or reads, the frames done and the frames in all."""


def generate_clip(
    audio: Path, template: Path, output: Path, engine_name: str | None = None, progress: StageProgress | None = None
) -> ClipReport:
    """Make ``output``, in which the presenter of ``template`` says what is heard in ``audio``.

    Raises BadInput, NotReady or EncodingFailed, and leaves nothing behind then.
    """
    engine = load_engine(engine_name or settings().engine)
    _check_files(audio, template, output)
    for name in (engine.name, chosen_tracker(template)):
        weights_of(name)
    started = perf_counter()
    voice = analyse_voice(audio)
    analysed = perf_counter()
    opened = Template.open(template)
    presenter = track_presenter(template, _stage(progress, "faces", template.name, opened.info.frame_count), opened)
    tracked = perf_counter()
    count = voice.speech.frame_count(presenter.tracks.frame_rate)
    patches = draw_mouths(voice, presenter, engine)
    before = {"speech": analysed - started, "faces": tracked - analysed}
    return finish_clip(
        voice, presenter, patches, engine, output, before, _stage(progress, "clip", output.name, count)
    ).report


def _check_files(audio: Path, template: Path, output: Path) -> None:
    for upload in (audio, template):
        if not upload.is_file():
            raise UploadMissing(f"There is no file {upload.name}; check its name and place.")
        if output.exists() and output.samefile(upload):
            raise OutputRefused(
                f"The clip would replace {upload.name}, which it is made of; give --output another name."
            )
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise OutputRefused(f"Nothing can be written into {folder.name}; choose another folder for --output.")
    if output.is_dir() or output.suffix.lower() != ".mp4":
        raise OutputRefused(f"{output.name} is no name for a clip; give --output a file name that ends in .mp4.")


def _stage(progress: StageProgress | None, stage: str, file: str, total: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    return lambda done: progress(stage, file, done, total)
