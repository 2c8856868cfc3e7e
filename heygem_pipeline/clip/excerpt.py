"""Some seconds of a voice on a presenter, so that people see what a clip will look like before it is made."""

import os
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from heygem_pipeline.checkpoints.weights import weights_of
from heygem_pipeline.clip.generate import StageProgress, generate_clip_saying
from heygem_pipeline.clip.presenter import Presenter, open_presenter, track_presenter
from heygem_pipeline.clip.sidecar import chosen_tracker, read_trim
from heygem_pipeline.clip.voice import Voice, analyse_voice, known_closures, open_voice
from heygem_pipeline.clip.voice_text import VoiceText, text_of_recording
from heygem_pipeline.errors import SpeechTooShort
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.wave_file import write_wave
from heygem_pipeline.messages.message import legible
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.settings import Settings
from heygem_pipeline.speech.analysis import speech_activity
from heygem_pipeline.speech.features import FEATURE_RATE
from heygem_pipeline.storage.fingerprint import fingerprint

SOUND_RATE, HEARD_RATE = 48_000, 16_000


@dataclass(frozen=True)
class Stretch:
    """Some seconds of a voice. begin: in seconds; None, where most is said."""

    seconds: float = 5.0
    begin: float | None = 0.0


def generate_excerpt(
    voice: str | os.PathLike[str],
    presenter: str | os.PathLike[str] | Presenter,
    output: str | os.PathLike[str],
    stretch: Stretch,
    settings: Settings,
    engine: str | None = None,
    progress: StageProgress | None = None,
    moving: bool = False,
    text: VoiceText | None = None,
) -> ClipReport:
    """Make a clip of a stretch of a voice, on the beginning of a presenter.

    Arguments and errors as of ``generate_clip``. Of a presenter that is not tracked yet, only as much is tracked as the
    stretch shows.

    moving: whether a photograph moves where its sidecar does not say it.
    text: what is said in the whole voice; default: as a text beside it tells.
    """
    weights_of(load_engine(engine or settings.engine, settings).name, settings)
    with TemporaryDirectory() as place:
        # The clip says what it was made of: the upload's own name.
        heard = Path(place) / f"{Path(voice).stem[:60]}.wav"
        analysed, begin = analyse_stretch(Path(voice), heard, stretch, settings)
        said = text or text_of_recording(Path(voice), read_trim(Path(voice)), settings)
        if said is not None:
            said = said.between(begin, begin + stretch.seconds)
        if not isinstance(presenter, Presenter):
            presenter = _beginning_tracked(Path(presenter), stretch.seconds, progress, settings, moving)
        return generate_clip_saying(said, analysed, presenter, output, engine, progress, settings)


def analyse_stretch(voice: Path, destination: Path, stretch: Stretch, settings: Settings) -> tuple[Voice, float]:
    """Write a stretch of a voice as a WAV, and analyse that, with the closures that are known of the whole.

    Return it with the second at which it begins. Raises SpeechTooShort where the voice ends before the stretch begins,
    and what ``analyse_voice`` raises.
    """
    begin, heard_of = stretch.begin, open_voice(voice, settings)
    if begin is None:
        heard = read_sound(voice, HEARD_RATE, settings, heard_of)
        said = np.concatenate([[0.0], np.cumsum(speech_activity(heard.samples))])
        rows = min(round(stretch.seconds * FEATURE_RATE), len(said) - 1)
        begin = float(np.argmax(said[rows:] - said[: len(said) - rows])) / FEATURE_RATE
    sound = read_sound(voice, SOUND_RATE, settings, heard_of).samples
    if begin > 0 and begin * SOUND_RATE >= len(sound):
        length = round(len(sound) / SOUND_RATE, 1)
        raise SpeechTooShort("excerpt.past_end", file=legible(voice.name), seconds=length, begin=begin)
    write_wave(destination, sound[round(begin * SOUND_RATE) :][: round(stretch.seconds * SOUND_RATE)], SOUND_RATE)
    analysed = analyse_voice(destination, settings)
    first = float(heard_of.trim.start) + begin
    within = known_closures(voice, fingerprint(voice), first, first + stretch.seconds)
    return replace(analysed, speech=replace(analysed.speech, closures=within)), begin


def _beginning_tracked(
    path: Path, seconds: float, progress: StageProgress | None, settings: Settings, moving: bool
) -> Presenter:
    weights_of(chosen_tracker(path, settings.tracker), settings)
    sequence = open_presenter(path, settings, moving)
    count = min(sequence.info.frame_count, ceil(seconds * sequence.frame_rate))
    beginning = replace(sequence, info=replace(sequence.info, frame_count=count), times=sequence.times[:count])

    def tell(done: int) -> None:
        if progress is not None:
            progress("faces", path.name, done, count)

    return track_presenter(path, tell, beginning, settings, moving)
