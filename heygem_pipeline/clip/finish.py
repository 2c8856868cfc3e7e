"""From patches to the finished, measured clip."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.clip.label_clearance import mouth_and_chin, mouth_and_chin_of_all
from heygem_pipeline.clip.mouth_patches import Metered, draw_mouths
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.shared_reading import SharedReading
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.clip.voice_text import VoiceText
from heygem_pipeline.faces.fitness import fitness_warnings
from heygem_pipeline.lipsync.compositing import composite
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
from heygem_pipeline.media.encode import EncodedClip, encode_clip
from heygem_pipeline.media.frame import Frame
from heygem_pipeline.media.subtitle_fonts import missing_letters
from heygem_pipeline.messages.message import Message, legible
from heygem_pipeline.opencv_threads import one_opencv_thread
from heygem_pipeline.prefetch import FRAMES_AHEAD, prefetch
from heygem_pipeline.quality.clip_checks import check_lengths, check_sync
from heygem_pipeline.quality.filmstrip import Filmstrip
from heygem_pipeline.quality.report import ClipReport, settings_of_report
from heygem_pipeline.quality.sync_meter import SyncReading, measure_sync
from heygem_pipeline.settings import DEFAULTS, RenderSettings, Subtitles
from heygem_pipeline.speech.clarity import speech_warnings


@dataclass(frozen=True)
class MouthDrawing:
    """The mouth patches of a clip, and what drew them.

    Attributes:
        patches: one for every output frame, in order; they may be drawn while they are read.
        engine: what draws them, or drew them.
        device: what it drew on, where that was done before; default: the engine says it when all is drawn.
        seconds: what drawing took before.
        reading: what the engine reads, shared; default, the presenter's frames are read for themselves.
    """

    patches: Iterable[MouthPatch]
    engine: LipSyncEngine
    device: str | None = None
    seconds: float = 0.0
    reading: SharedReading | None = None


@dataclass(frozen=True)
class FinishedClip:
    """What is known of a clip that was made.

    Attributes:
        report: all that is said of it.
        filmstrip: a strip of face pictures, uint8 (160, 160 n, 3) BGR.
    """

    report: ClipReport
    filmstrip: NDArray[np.uint8]


def draw_for(voice: Voice, presenter: Presenter, engine: LipSyncEngine) -> MouthDrawing:
    """Return a drawing that is made while its clip is finished, from frames that are read once for both.

    Raises what opening the presenter raises; what drawing raises comes when the patches are read.
    """
    reading = SharedReading(presenter.open())
    patches = draw_mouths(voice, presenter, engine, sequence=reading.sequence)
    return MouthDrawing(patches, engine, reading=reading)


def finish_clip(
    voice: Voice,
    presenter: Presenter,
    drawing: MouthDrawing,
    destination: Path,
    progress: Callable[[int], None] | None = None,
    made_with: RenderSettings = DEFAULTS,
    text: VoiceText | None = None,
) -> FinishedClip:
    """Lay the patches on the presenter's frames, encode with the voice's own sound, measure the sync, and report.

    On any error nothing is left at ``destination`` that was not there.

    Args:
        voice: whose sound is heard.
        presenter: whose frames are shown.
        drawing: the mouths.
        destination: where the clip is written.
        progress: called with the frames encoded.
        made_with: the clip's settings and the machine's.
        text: what is said, where that is known.

    Raises:
        UploadReplaced: The upload is no longer the file that was analysed.
        DiskFull: Not enough space, found before the work or while writing.
        EncodingFailed: The encoder stopped, or what it wrote does not hold what it should.
    """
    voice.require_unchanged()
    recording = _Recording(voice, presenter, drawing, made_with)
    with one_opencv_thread(), ExitStack() as open_streams:
        if isinstance(drawing.patches, Generator):
            open_streams.enter_context(closing(drawing.patches))
        frames = open_streams.enter_context(closing(prefetch(recording.frames(), FRAMES_AHEAD)))
        encoded = encode_clip(
            frames,
            frame_rate=presenter.tracks.frame_rate,
            size=presenter.tracks.size,
            sound=voice.open(made_with),
            duration=voice.speech.duration,
            destination=destination,
            made_with=made_with,
            keep_clear=mouth_and_chin(presenter.tracks, recording.frame_count, made_with.label),
            progress=progress,
            examine=recording.measure,
            subtitles=text.track if text is not None else None,
            keep_text_clear=mouth_and_chin_of_all(presenter.tracks) if text is not None else None,
            synthetic_voice=text.synthetic if text is not None else "",
        )
    report = _report(recording, encoded, destination.name, made_with, text)
    return FinishedClip(report, recording.filmstrip.picture())


class _Recording:
    """A clip while it is encoded, and what is noted meanwhile: pictures, own mouths, the sync, and seconds."""

    def __init__(self, voice: Voice, presenter: Presenter, drawing: MouthDrawing, made_with: RenderSettings) -> None:
        self.voice, self.presenter, self.drawing = voice, presenter, drawing
        self._made_with = made_with
        self.frame_count = voice.speech.frame_count(presenter.tracks.frame_rate)
        self.filmstrip = Filmstrip(presenter.tracks, self.frame_count)
        self.own_mouths = 0.0
        sequence = presenter.open()
        self._frames = drawing.reading.frames if drawing.reading else sequence.shown
        self._patches = Metered(drawing.patches)
        self._reading: SyncReading | None = None
        self._measuring_seconds = 0.0
        self._started = perf_counter()

    def frames(self) -> Iterator[Frame]:
        """The finished frames, drawn as they are asked for."""
        return self.filmstrip.watch(composite(self._frames(self.frame_count), self._noted()))

    def measure(self, written: Path) -> None:
        """Measure the sync of the clip that was written."""
        started = perf_counter()
        self._reading = measure_sync(written, self.voice.speech, self.presenter.tracks, self._made_with)
        self._measuring_seconds = perf_counter() - started

    @property
    def reading(self) -> SyncReading:
        """What was measured."""
        assert self._reading is not None
        return self._reading

    def seconds(self) -> dict[str, float]:
        """Seconds that each stage took until now."""
        # An engine draws while the clip is encoded: what its patches took is told apart.
        encoding = perf_counter() - self._started - self._measuring_seconds - self._patches.seconds
        return {
            "speech": self.voice.seconds,
            "faces": self.presenter.seconds,
            "lipsync": self.drawing.seconds + self._patches.seconds,
            "encode": encoding,
            "sync": self._measuring_seconds,
        }

    def _noted(self) -> Iterator[MouthPatch]:
        for patch in self._patches:
            self.own_mouths += patch.own_mouth
            yield patch


def _report(
    recording: _Recording, encoded: EncodedClip, output: str, made_with: RenderSettings, text: VoiceText | None
) -> ClipReport:
    voice, presenter, reading = recording.voice, recording.presenter, recording.reading
    engine, device = recording.drawing.engine, recording.drawing.device
    width, height = encoded.size
    return ClipReport(
        audio=legible(voice.path.name),
        template=legible(presenter.path.name),
        output=legible(output),
        engine=engine.name,
        engine_version=engine.version,
        device=engine.device if device is None else device,
        tracker=presenter.tracker,
        frames=encoded.frame_count,
        frame_rate=str(encoded.frame_rate),
        width=width,
        height=height,
        duration=float(encoded.duration),
        sound_duration=float(encoded.sound_duration),
        sync_offset_frames=round(reading.offset_frames, 2) if reading.confidence > 0 else None,
        sync_confidence=round(reading.confidence, 2),
        own_mouth=round(recording.own_mouths / encoded.frame_count, 3),
        seconds=recording.seconds(),
        checks=[check_lengths(encoded), check_sync(reading, made_with.sync_tolerance_frames)],
        warnings=speech_warnings(voice.speech, made_with)
        + fitness_warnings(presenter.tracks, made_with)
        + (presenter.motion.hints if presenter.motion is not None else [])
        + _subtitle_warnings(encoded, made_with, text)
        + ([] if encoded.as_loud_as_asked else [Message("loudness.not_measured", file=legible(voice.path.name))]),
        audio_fingerprint=voice.fingerprint,
        template_fingerprint=presenter.fingerprint,
        produce_id=encoded.produce_id,
        bytes=encoded.bytes,
        made_with=settings_of_report(made_with, text.version if text is not None else "", voice.trim.written),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        subtitles="" if encoded.subtitles is Subtitles.NONE else encoded.subtitles.value,
        synthetic_voice=text.synthetic if text is not None else "",
        loudness=None if encoded.loudness is None else round(encoded.loudness, 1),
    )


def _subtitle_warnings(encoded: EncodedClip, made_with: RenderSettings, text: VoiceText | None) -> list[Message]:
    if text is None or made_with.subtitles is Subtitles.NONE:
        return []
    warnings = list(text.warnings)
    if made_with.subtitles is Subtitles.BURNT and encoded.subtitles is Subtitles.SOFT:
        words = "".join(cue.text for cue in text.track.cues)
        letters = missing_letters(words, text.track.language, made_with.subtitle_font)
        warnings.append(Message("subtitles.no_font", letters=letters))
    return warnings
