"""What makes previews: a sensor that sees what people asked for, and a job of one step."""

from contextlib import suppress
from pathlib import Path
from time import time

import dagster as dg

from heygem_pipeline.clip.excerpt import Stretch, generate_excerpt
from heygem_pipeline.clip.presenter import Presenter, current_tracker, load_presenter
from heygem_pipeline.clip.sidecar import read_sidecar, read_trim
from heygem_pipeline.clip.voice_text import VoiceText, text_of_recording, text_of_script
from heygem_pipeline.devices import card_to_itself
from heygem_pipeline.errors import BadInput, NotReady
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.previews import preview_runs, read_wish, settle
from heygem_pipeline.runs.failure_reasons import UNEXPECTED, failure_metadata
from heygem_pipeline.runs.progress import Progress, remove_progress, write_progress
from heygem_pipeline.runs.stages import PREVIEW_JOB, PREVIEW_STEP
from heygem_pipeline.settings import Settings, settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.synthesis.transcript import read_transcript
from heygem_pipeline.uploads.registry import UploadKind, Uploads
from heygem_pipeline.uploads.voice_languages import languages_of

SECONDS_BETWEEN_LOOKS = 5

SECONDS_BETWEEN_NOTES = 0.5

SHARES = {"faces": (0.0, 0.5), "clip": (0.5, 1.0)}
"""Of a preview, by stage."""


class PreviewOf(dg.Config):
    """The pair: partition keys. What is wanted of it is read when the run begins."""

    voice: str
    presenter: str


@dg.op(name=PREVIEW_STEP, pool="gpu")
def draw_preview(context: dg.OpExecutionContext, config: PreviewOf) -> None:
    """Some seconds of a pair, as people asked for them last; it counts as no clip."""
    folders, chosen, clip = data_folders(), settings(), ClipKey(config.voice, config.presenter)
    wish = read_wish(folders, clip)
    if wish is None or not wish.open:
        context.log.info("Nobody wants it any more, or it is there.")
        return
    try:
        uploads = Uploads(folders)
        presenter = uploads.bring(UploadKind.PRESENTER, clip.presenter)
        with card_to_itself(context.log.info):
            generate_excerpt(
                uploads.bring_sound(clip.voice),
                _tracked(folders, clip, presenter, chosen) or presenter,
                folders.preview(clip),
                Stretch(wish.seconds, wish.begin),
                chosen.with_clip(wish.made_with),
                wish.engine,
                _Notes(folders, context.run.run_id).take,
                text=_text(uploads, clip.voice, chosen),
            )
        folders.files.publish(folders.preview(clip))
    except (BadInput, NotReady) as error:
        settle(folders, clip, wish, error.message)
        raise dg.Failure(str(error), failure_metadata(error), allow_retries=False) from error
    except Exception as error:
        settle(folders, clip, wish, Message(UNEXPECTED, error=f"{type(error).__name__}: {error}"))
        raise
    finally:
        remove_progress(folders, context.run.run_id)
    settle(folders, clip, wish)


def _tracked(folders: DataFolders, clip: ClipKey, upload: Path, chosen: Settings) -> Presenter | None:
    """The presenter as it was tracked before, if that still holds: then nothing is to be tracked again."""
    try:
        tracks, own_speech = folders.tracks(clip.presenter), folders.presenter_speech(clip.presenter)
        for path in (tracks, own_speech):
            folders.files.refresh(path.parent, path.name.__eq__)
        known = load_presenter(tracks, own_speech, upload, chosen)
        if known.tracker != current_tracker(chosen, read_sidecar(upload)):
            return None
        known.open()
    except (OSError, KeyError, ValueError, BadInput, NotReady):
        return None
    return known


def _text(uploads: Uploads, voice: str, settings: Settings) -> VoiceText | None:
    """What is said, where that is known."""
    if voice not in uploads.known(UploadKind.SCRIPT):
        recording = uploads.find(UploadKind.VOICE, voice)
        told = languages_of(uploads.folders).get(voice, "")
        return text_of_recording(recording, read_trim(recording), settings, told)
    with suppress(OSError, ValueError, KeyError):
        return text_of_script(read_transcript(uploads.folders.files.fetch(uploads.folders.transcript(voice))))
    return None


class _Notes:
    """Lets the page see how far it is."""

    def __init__(self, folders: DataFolders, run_id: str) -> None:
        self._folders, self._run_id = folders, run_id
        self._started = self._noted = time()

    def take(self, stage: str, _file: str, done: int, total: int) -> None:
        """As ``StageProgress``."""
        now = time()
        if now - self._noted < SECONDS_BETWEEN_NOTES:
            return
        self._noted = now
        first, last = SHARES[stage]
        share = first + (last - first) * min(1.0, done / max(1, total))
        write_progress(
            self._folders, self._run_id, Progress(PREVIEW_JOB, round(1000 * share), 1000, self._started, now)
        )


@dg.job(name=PREVIEW_JOB, executor_def=dg.in_process_executor)
def preview_job() -> None:
    """Some seconds of a pair that somebody wants to see before its clip is made; asked for in the Studio."""
    draw_preview()


@dg.sensor(
    name="previews",
    job=preview_job,
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the previews that people asked for in the Studio, before all else.",
)
def previews(_context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Ask for a run of each."""
    asked = preview_runs(data_folders())
    return dg.SensorResult(run_requests=asked) if asked else dg.SkipReason("Nobody asked for a preview.")
