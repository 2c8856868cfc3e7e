"""From patches to the finished, measured clip."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.clip.metered import Metered
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.faces.fitness import fitness_warnings
from heygem_pipeline.lipsync.compositing import composite
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
from heygem_pipeline.media.encode import encode_clip
from heygem_pipeline.quality.clip_checks import check_lengths, check_sync
from heygem_pipeline.quality.filmstrip import Filmstrip
from heygem_pipeline.quality.report import ClipReport, settings_of_report
from heygem_pipeline.quality.sync_meter import SyncReading, measure_sync
from heygem_pipeline.settings import DEFAULTS, RenderSettings
from heygem_pipeline.speech.clarity import speech_warnings


@dataclass(frozen=True)
class FinishedClip:
    """The report, and a strip of face pictures, uint8 (160, 160 n, 3) BGR."""

    report: ClipReport
    filmstrip: NDArray[np.uint8]


def finish_clip(
    voice: Voice,
    presenter: Presenter,
    patches: Iterable[MouthPatch],
    engine: LipSyncEngine,
    destination: Path,
    seconds: dict[str, float],
    progress: Callable[[int], None] | None = None,
    made_with: RenderSettings = DEFAULTS,
    drawn_on: str | None = None,
) -> FinishedClip:
    """Lay the patches on the template, encode with the upload's own sound, measure the sync, and report.

    seconds: what the stages before took; drawing, encoding and measuring are added. progress: called with the frames
    encoded. made_with: the clip's settings and the machine's. drawn_on: the engine's device, where the patches were
    drawn before.
    Raises UploadReplaced, DiskFull, EncodingFailed; on any error nothing is left at ``destination`` that was not there.
    """
    voice.require_unchanged()
    template = presenter.open()
    started = perf_counter()
    tracks = presenter.tracks
    count = voice.speech.frame_count(tracks.frame_rate)
    strip = Filmstrip(tracks, count)
    drawn = Metered(patches)
    readings: list[tuple[SyncReading, float]] = []
    own_mouths = 0.0

    def measure(written: Path) -> None:
        measuring = perf_counter()
        readings.append((measure_sync(written, voice.speech, tracks, made_with), perf_counter() - measuring))

    def noted(patches: Iterable[MouthPatch]) -> Iterator[MouthPatch]:
        nonlocal own_mouths
        for patch in patches:
            own_mouths += patch.own_mouth
            yield patch

    encoded = encode_clip(
        strip.watch(composite(template, noted(drawn), count)),
        frame_rate=tracks.frame_rate,
        size=tracks.size,
        sound=voice.path,
        duration=voice.speech.duration,
        destination=destination,
        made_with=made_with,
        progress=progress,
        examine=measure,
    )
    reading, measured = readings[0]
    # An engine draws while the clip is encoded: what its patches took is told apart.
    encoding = perf_counter() - started - measured - drawn.seconds
    stages = {"lipsync": seconds.get("lipsync", 0.0) + drawn.seconds, "encode": encoding, "sync": measured}
    width, height = encoded.size
    report = ClipReport(
        audio=voice.path.name,
        template=presenter.path.name,
        output=destination.name,
        engine=engine.name,
        engine_version=engine.version,
        device=engine.device if drawn_on is None else drawn_on,
        tracker=presenter.tracker,
        frames=encoded.frame_count,
        frame_rate=str(encoded.frame_rate),
        width=width,
        height=height,
        duration=float(encoded.duration),
        sound_duration=float(encoded.sound_duration),
        sync_offset_frames=round(reading.offset_frames, 2) if reading.confidence > 0 else None,
        sync_confidence=round(reading.confidence, 2),
        own_mouth=round(own_mouths / encoded.frame_count, 3),
        seconds=seconds | stages,
        checks=[check_lengths(encoded), check_sync(reading, made_with.sync_tolerance_frames)],
        warnings=speech_warnings(voice.speech, made_with) + fitness_warnings(tracks, made_with),
        audio_fingerprint=voice.fingerprint,
        template_fingerprint=presenter.fingerprint,
        produce_id=encoded.produce_id,
        bytes=encoded.bytes,
        made_with=settings_of_report(made_with),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return FinishedClip(report, strip.picture())
