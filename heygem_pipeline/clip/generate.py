"""One clip from two files, without a Dagster instance: the calls the assets make, one after the other."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from heygem_pipeline.checkpoints.weights import weights_of
from heygem_pipeline.clip.finish import draw_for, finish_clip
from heygem_pipeline.clip.presenter import Presenter, open_presenter, track_presenter
from heygem_pipeline.clip.sidecar import chosen_tracker
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.clip.voice_text import VoiceText, text_beside
from heygem_pipeline.errors import OutputRefused, UploadMissing
from heygem_pipeline.lipsync.engine import LipSyncEngine
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.prefetch import beside
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.settings import Settings
from heygem_pipeline.settings import settings as settings_of_environment
from heygem_pipeline.storage.atomic import require_writable
from heygem_pipeline.storage.path_checks import has_possible_name
from heygem_pipeline.storage.printable_text import shown

StageProgress = Callable[[str, str, int, int], None]
"""Called with the stage's name, the file it makes or reads, the frames done and the frames in all."""


def generate_clip(
    voice: str | os.PathLike[str] | Voice,
    presenter: str | os.PathLike[str] | Presenter,
    output: str | os.PathLike[str],
    engine: str | LipSyncEngine | None = None,
    progress: StageProgress | None = None,
    settings: Settings | None = None,
) -> ClipReport:
    """Make a clip in which the presenter says what is heard in the voice.

    Relative paths lie in the current folder. Nothing is left at ``output`` where this raises.

    Args:
        voice: a sound file, a video whose sound is taken, or what ``analyse_voice`` made of one.
        presenter: a video, a picture, or what ``track_presenter`` made of one. A picture blinks and moves its head
            unless its sidecar or the setting HEYGEM_PHOTOGRAPHS_MOVE says otherwise.
        output: the MP4 to write; its folder is made. A clip that is there is replaced.
        engine: name of an engine, or one of your own; default: the setting HEYGEM_ENGINE.
        progress: called again and again while the presenter is tracked and the clip is made.
        settings: default: those of the environment (HEYGEM_*).

    Raises:
        BadInput: a file cannot be used; the same file will not work the next time either.
        NotReady: this machine lacks something, such as weights or disk space.
        EncodingFailed: the encoder stopped.
    """
    return generate_clip_saying(None, voice, presenter, output, engine, progress, settings)


def generate_clip_saying(
    text: VoiceText | None,
    voice: str | os.PathLike[str] | Voice,
    presenter: str | os.PathLike[str] | Presenter,
    output: str | os.PathLike[str],
    engine: str | LipSyncEngine | None,
    progress: StageProgress | None,
    settings: Settings | None,
) -> ClipReport:
    """The same where it is known what is said; None: a text beside the voice tells."""
    settings = settings or settings_of_environment()
    engine = engine or settings.engine
    drawing = load_engine(engine, settings) if isinstance(engine, str) else engine
    heard, seen, written = _path_of(voice), _path_of(presenter), Path(output)
    _check_files(heard, seen, written)
    weights_of(drawing.name, settings)
    if not isinstance(presenter, Presenter):
        weights_of(chosen_tracker(seen, settings.tracker), settings)
    analysed = None if isinstance(voice, Voice) else beside(partial(analyse_voice, heard, settings))
    if not isinstance(presenter, Presenter):
        presenter = _tracked(seen, progress, settings, analysed)
    if not isinstance(voice, Voice):
        assert analysed is not None
        voice = analysed.result()
    count = voice.speech.frame_count(presenter.tracks.frame_rate)
    encoded = _stage(progress, "clip", written.name, count)
    drawn, said = draw_for(voice, presenter, drawing), text or text_beside(voice, limits=settings)
    return finish_clip(voice, presenter, drawn, written, encoded, settings, said).report


@dataclass(frozen=True)
class ClipToMake:
    """Two files, and the MP4 to write."""

    voice: Path
    presenter: Path
    output: Path


def generate_clips(
    clips: Iterable[ClipToMake],
    engine: str | None = None,
    progress: StageProgress | None = None,
    settings: Settings | None = None,
) -> Iterator[tuple[ClipToMake, ClipReport | Exception]]:
    """Make several clips, each voice and each presenter looked at once; yield what became of each.

    Each clip stands alone: whatever happens to one, the others are made. Arguments as of ``generate_clip``.
    """
    settings = settings or settings_of_environment()
    drawing = load_engine(engine or settings.engine, settings)
    weights_of(drawing.name, settings)
    heard: dict[Path, Voice | Exception] = {}
    seen: dict[Path, Presenter | Exception] = {}
    for clip in clips:
        try:
            _check_files(clip.voice, clip.presenter, clip.output)
            voice = _once(heard, clip.voice, partial(analyse_voice, settings=settings))
            presenter = _once(seen, clip.presenter, partial(_tracked, progress=progress, settings=settings))
            made = generate_clip(voice, presenter, clip.output, drawing, progress, settings)
        except Exception as error:
            yield clip, error
        else:
            yield clip, made


Made = TypeVar("Made", Voice, Presenter)


def _once(known: dict[Path, Made | Exception], path: Path, make: Callable[[Path], Made]) -> Made:
    """What was made of the file, or is made now. What failed once is not tried for every clip."""
    if path not in known:
        try:
            known[path] = make(path)
        except Exception as error:
            known[path] = error
    made = known[path]
    if isinstance(made, Exception):
        raise made
    return made


def _tracked(
    path: Path, progress: StageProgress | None, settings: Settings, analysed: Future[Voice] | None = None
) -> Presenter:
    weights_of(chosen_tracker(path, settings.tracker), settings)
    moving = settings.photographs_move
    sequence = open_presenter(path, settings, moving)
    following = _stage(progress, "faces", path.name, sequence.info.frame_count)

    def follow(done: int) -> None:
        # Nobody waits for the tracks of a presenter whose voice cannot be used.
        if analysed is not None and analysed.done():
            analysed.result()
        if following is not None:
            following(done)

    return track_presenter(path, follow, sequence, settings, moving)


def _path_of(upload: str | os.PathLike[str] | Voice | Presenter) -> Path:
    return upload.path if isinstance(upload, Voice | Presenter) else Path(upload)


def _check_files(voice: Path, presenter: Path, output: Path) -> None:
    for path in (voice, presenter, output):
        if not has_possible_name(path):
            raise OutputRefused("name.too_long", name=shown(path.name))
    for upload in (voice, presenter):
        if not upload.is_file():
            raise UploadMissing("file.missing", file=upload.name)
        if output.exists() and output.samefile(upload):
            raise OutputRefused("output.replaces_upload", file=upload.name)
    if output.is_dir() or output.suffix.lower() != ".mp4":
        raise OutputRefused("output.no_mp4", file=output.name)
    require_writable(output)


def _stage(progress: StageProgress | None, stage: str, file: str, total: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    return lambda done: progress(stage, file, done, total)
