"""The same seconds with several engines, so that people choose by what they see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from heygem_pipeline.clip.excerpt import Stretch, analyse_stretch
from heygem_pipeline.clip.generate import StageProgress, generate_clip
from heygem_pipeline.clip.presenter import track_presenter
from heygem_pipeline.errors import PipelineError
from heygem_pipeline.lipsync.engine_terms import terms_of
from heygem_pipeline.messages.message import Message, verbatim
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.settings import Settings


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
        analysed, _ = analyse_stretch(voice, heard, Stretch(seconds, begin=None), settings)
        tracked = track_presenter(presenter, settings=settings, moving=settings.photographs_move)
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
