"""The engine ``wav2lip``: the public network, with a lower face that fits into the picture it is laid on.

The presenter is read, faces are drawn, and they are laid over the picture at the same time, in three threads.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.checkpoints.import_record import weights_identity
from heygem_pipeline.checkpoints.weights import weights_of
from heygem_pipeline.errors import ModelMissing
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.face_batches import in_batches
from heygem_pipeline.lipsync.lower_face.blending import FaceRegion, blend_face
from heygem_pipeline.lipsync.lower_face.face_boxes import FaceBoxes, locate_faces
from heygem_pipeline.lipsync.lower_face.strengths import blend_strengths, speaking_at_frames
from heygem_pipeline.lipsync.wav2lip.mel_windows import MelWindows
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.prefetch import prefetch
from heygem_pipeline.settings import DEFAULTS, EngineSettings
from heygem_pipeline.speech.features import SpeechFeatures

if TYPE_CHECKING:
    from heygem_pipeline.lipsync.wav2lip.network.inference import FaceGenerator, PendingFace

DRAWING_VERSION = "1"
"""Changes whenever the same weights would give other patches."""

logger = logging.getLogger(__name__)


class Wav2LipEngine:
    """Draws lower faces with the public weights of Wav2Lip; needs torch, and is quick on a GPU."""

    name = "wav2lip"

    def __init__(self, generator: "FaceGenerator | None" = None, settings: EngineSettings = DEFAULTS) -> None:
        """Make an engine.

        Args:
            generator: default, one with the weights of the checkpoints folder on the device of the settings.
            settings: of engines.

        Raises LicenceNotAcknowledged, ModelMissing (the weights, or torch), before any work.
        """
        self._settings = settings
        self._weights = None if generator else weights_file(settings)
        self._generator = generator

    @property
    def version(self) -> str:
        """Version of the drawing, the weights' name and digits of their SHA-256, and the settings that change faces."""
        chosen = self._settings
        weights = weights_identity(self._weights) if self._weights else "given"
        how = f"lead {chosen.wav2lip_lead_seconds:g} sharpening {chosen.wav2lip_sharpening:g}"
        return f"{DRAWING_VERSION} ({weights}, {how})"

    @property
    def device(self) -> str:
        """Device and precision, once something was drawn."""
        return str(self._generator) if self._generator else ""

    def generate(
        self,
        speech: SpeechFeatures,
        sequence: FrameSequence,
        tracks: FaceTracks,
        presenter_speech: SpeechFeatures | None = None,
    ) -> Iterator[MouthPatch]:
        """Yield a patch for every output frame, in order; see ``LipSyncEngine``. Raises CheckpointUnusable."""
        count = speech.frame_count(tracks.frame_rate)
        generator = self._generator = self._generator or self._load()
        lead, sharpening = Fraction(str(self._settings.wav2lip_lead_seconds)), self._settings.wav2lip_sharpening
        mel_windows, face_boxes = MelWindows(speech, tracks.frame_rate, lead), locate_faces(tracks)
        shown = np.array([ping_pong(position, len(tracks)) for position in range(count)])
        speaking = speaking_at_frames(mel_windows.envelope, tracks.frame_rate, count)
        strengths = blend_strengths(speaking, face_boxes.parted[shown], face_boxes.usable[shown], tracks.frame_rate)
        frames = _read_frames(sequence, count, face_boxes, strengths)
        with (
            closing(prefetch(in_batches(frames, lambda: generator.batch))) as batches,
            closing(prefetch((batch, _generate(generator, batch, mel_windows)) for batch in batches)) as drawn,
        ):
            for batch, faces in drawn:
                for frame, face in zip(batch, faces, strict=True):
                    yield _patch(frame, face, sharpening)

    def _load(self) -> "FaceGenerator":
        from heygem_pipeline.devices import chosen_device

        device = chosen_device(self._settings.device)
        from heygem_pipeline.lipsync.wav2lip.network.checkpoint_validation import load_network
        from heygem_pipeline.lipsync.wav2lip.network.inference import FaceGenerator

        assert self._weights is not None
        generator = FaceGenerator(load_network(self._weights), device)
        logger.info("Wav2Lip draws with %s on %s, %d frames at once.", self._weights.name, generator, generator.batch)
        return generator


def engine_of(settings: EngineSettings) -> Wav2LipEngine:
    """The engine as the entry point ``wav2lip`` makes it. Raises LicenceNotAcknowledged, ModelMissing."""
    return Wav2LipEngine(settings=settings)


def weights_file(settings: EngineSettings) -> Path:
    """Return where the weights lie. Raises LicenceNotAcknowledged, and ModelMissing where they or torch are missing."""
    (path,) = weights_of("wav2lip", settings)
    if find_spec("torch") is None:
        raise ModelMissing("wav2lip.no_torch")
    return path


@dataclass(frozen=True)
class _Frame:
    """One output frame.

    Attributes:
        place: None where the presenter's frame stays as it is.
        left: of the box in the frame.
        top: of the box in the frame.
    """

    output_frame: int
    presenter_frame: int
    left: int
    top: int
    place: FaceRegion | None
    strength: float


def _read_frames(
    sequence: FrameSequence, count: int, face_boxes: FaceBoxes, strengths: NDArray[np.float64]
) -> Iterator[_Frame]:
    for output_frame, (presenter_frame, picture) in enumerate(sequence.presentation(count, face_boxes.boxes)):
        left, top, right, bottom = (int(edge) for edge in face_boxes.boxes[presenter_frame])
        place = None
        if strengths[output_frame] > 0:
            landmarks = face_boxes.landmarks[presenter_frame] - np.array([left, top], np.float32)
            # A copy, so that the whole picture need not be held.
            place = FaceRegion(picture[top:bottom, left:right].copy(), landmarks)
        yield _Frame(output_frame, presenter_frame, left, top, place, float(strengths[output_frame]))


def _generate(
    generator: "FaceGenerator", batch: Sequence[_Frame], mel_windows: MelWindows
) -> list["PendingFace | None"]:
    from heygem_pipeline.lipsync.wav2lip.network.inference import FaceInput

    asked = [
        FaceInput(mel_windows.window(one.output_frame), one.place.network_face)
        for one in batch
        if one.place is not None
    ]
    faces = iter(generator.generate_faces(asked))
    return [next(faces) if one.place is not None else None for one in batch]


def _patch(frame: _Frame, face: "PendingFace | None", sharpening: float) -> MouthPatch:
    untouched = MouthPatch(frame.output_frame, frame.presenter_frame)
    if face is None or frame.place is None:
        return untouched
    laid = blend_face(frame.place, face(), frame.strength, sharpening)
    if laid is None:
        return untouched
    left, top, pixels = laid
    return replace(untouched, left=frame.left + left, top=frame.top + top, pixels=pixels)
