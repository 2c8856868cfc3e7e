"""The same seconds with several engines, so that people choose by what they see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from heygem_pipeline.clip.generate import StageProgress, generate_clip
from heygem_pipeline.clip.presenter import track_presenter
from heygem_pipeline.clip.voice import analyse_voice
from heygem_pipeline.errors import PipelineError
from heygem_pipeline.lipsync.engine_terms import terms_of
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.wave_file import write_wave
from heygem_pipeline.messages.message import Message, verbatim
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.settings import Settings
from heygem_pipeline.speech.analysis import speech_activity
from heygem_pipeline.speech.features import FEATURE_RATE

SOUND_RATE, HEARD_RATE = 48_000, 16_000


@dataclass(frozen=True)
class ChosenEngine:
    """An engine to compare. label: its name, or that of its recipe."""

    name: str
    label: str
    settings: Settings

    @classmethod
    def of(cls, text: str, settings: Settings) -> "ChosenEngine":
        """``warp``, or ``program=latentsync.yaml``, which compares several programs."""
        name, _, recipe = text.strip().partition("=")
        if not recipe:
            return cls(name, name, settings)
        return cls(name, Path(recipe).stem, settings.model_copy(update={"program": Path(recipe)}))

    @property
    def file(self) -> str:
        """Name of its clip."""
        return f"{self.label}.mp4"


@dataclass(frozen=True)
class ComparedClip:
    """What an engine made of them.

    Attributes:
        terms: what may be done with its clips.
        report: None where it made none.
        lack: what it lacks, or why it failed; None where it made a clip.
    """

    engine: ChosenEngine
    terms: Message
    report: ClipReport | None = None
    lack: Message | None = None


def compare_engines(
    voice: Path,
    presenter: Path,
    engines: Sequence[ChosenEngine],
    folder: Path,
    seconds: float,
    settings: Settings,
    progress: StageProgress | None = None,
) -> Iterator[ComparedClip]:
    """Make a clip of the same seconds with each engine, in a folder; those that cannot say what they lack.

    Raises BadInput for the voice or the presenter.
    """
    with TemporaryDirectory() as place:
        heard = Path(place) / "voice.wav"
        _cut(voice, heard, seconds, settings)
        analysed = analyse_voice(heard, settings)
        tracked = track_presenter(presenter, settings=settings)
        for engine in engines:
            terms = terms_of(engine.name, engine.settings)
            output = folder / engine.file
            try:
                report = generate_clip(analysed, tracked, output, engine.name, progress, engine.settings)
            except PipelineError as error:
                yield ComparedClip(engine, terms, lack=error.message)
            # An engine of another package must not keep the others from being seen.
            except Exception as error:
                yield ComparedClip(engine, terms, lack=verbatim(f"{type(error).__name__}: {error}"))
            else:
                yield ComparedClip(engine, terms, report)


def _cut(voice: Path, destination: Path, seconds: float, settings: Settings) -> None:
    """Write the seconds of a voice in which most is said."""
    heard = read_sound(voice, HEARD_RATE, settings)
    said = np.concatenate([[0.0], np.cumsum(speech_activity(heard.samples))])
    rows = min(round(seconds * FEATURE_RATE), len(said) - 1)
    first = float(np.argmax(said[rows:] - said[: len(said) - rows])) / FEATURE_RATE
    sound = read_sound(voice, SOUND_RATE, settings).samples[round(first * SOUND_RATE) :][: round(seconds * SOUND_RATE)]
    write_wave(destination, sound, SOUND_RATE)
