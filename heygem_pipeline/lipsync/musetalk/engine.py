"""The engine ``musetalk``: MuseTalk 1.5's network, with a lower face that fits into the picture it is laid on.

The presenter is read, faces are drawn, and they are laid over the picture at the same time, in three threads.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing
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
from heygem_pipeline.lipsync.lower_face.strengths import blend_strengths, speaking_at_frames
from heygem_pipeline.lipsync.musetalk.face_crops import CROP_VERSION, locate_faces
from heygem_pipeline.lipsync.musetalk.face_drawing import FaceDrawing, lay_over
from heygem_pipeline.lipsync.musetalk.face_encodings import FaceEncodings
from heygem_pipeline.lipsync.musetalk.faces_to_draw import (
    FaceToDraw,
    read_frames,
    reference_frames,
)
from heygem_pipeline.lipsync.musetalk.sound_windows import SoundWindows
from heygem_pipeline.lipsync.musetalk.steadying import steady
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.prefetch import prefetch
from heygem_pipeline.settings import DEFAULTS, EngineSettings, UploadLimits
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline.speech.level import normalising_gain
from heygem_pipeline.speech.mel import SAMPLE_RATE
from heygem_pipeline.speech.mouth_motion import speech_envelope

if TYPE_CHECKING:
    from heygem_pipeline.lipsync.musetalk.network.inference import FaceGenerator

DRAWING_VERSION = "1"
"""Changes whenever the same weights would give other patches."""

PACKAGES = ("torch", "diffusers", "transformers")

LIMITS = UploadLimits(max_minutes=24 * 60.0)
"""The voice was accepted when it was analysed."""

logger = logging.getLogger(__name__)


class MuseTalkEngine:
    """Draws lower faces with the public weights of MuseTalk 1.5; needs torch, and a GPU to be quick."""

    name = "musetalk"

    def __init__(self, generator: "FaceGenerator | None" = None, settings: EngineSettings = DEFAULTS) -> None:
        """Make an engine.

        Args:
            generator: default, one with the weights of the checkpoints folder on the device of the settings.
            settings: of engines.

        Raises ModelMissing (the weights, or packages), before any work.
        """
        self._settings = settings
        self._weights = () if generator else weight_files(settings)
        self._generator = generator

    @property
    def version(self) -> str:
        """Version of the drawing, names and digits of the files of weights, and the settings that change faces."""
        chosen = self._settings
        how = f"lead {chosen.musetalk_lead_seconds:g} steadying {chosen.musetalk_steadying:g}"
        precision = "" if chosen.musetalk_precision == "auto" else f" {chosen.musetalk_precision}"
        return f"{DRAWING_VERSION} ({self._weights_identity()}, {how}{precision})"

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
        crops = locate_faces(tracks)
        shown = np.array([ping_pong(position, len(tracks)) for position in range(count)])
        spoken = speech_envelope(speech)
        speaking = speaking_at_frames(spoken, tracks.frame_rate, count, moment=0.5)
        strengths = blend_strengths(speaking, crops.parted[shown], crops.usable[shown], tracks.frame_rate)
        lead = Fraction(str(self._settings.musetalk_lead_seconds))
        windows = SoundWindows(_samples(speech), spoken, tracks.frame_rate, lead, generator.hearing)
        references = reference_frames(speaking, crops, shown, strengths, tracks)
        frames = read_frames(sequence, count, crops, strengths, references)
        shots = tracks.shots

        def follows(one: FaceToDraw, next_one: FaceToDraw) -> bool:
            return bool(shots[one.presenter_frame] == shots[next_one.presenter_frame])

        with ExitStack() as open_now:
            encodings = open_now.enter_context(closing(self._encodings(tracks, generator)))
            drawing = FaceDrawing(generator, windows, encodings, int((strengths > 0).sum()))
            batches = open_now.enter_context(closing(prefetch(in_batches(frames, lambda: generator.batch))))
            drawn = open_now.enter_context(closing(prefetch((batch, drawing.faces(batch)) for batch in batches)))
            each = (pair for batch, faces in drawn for pair in zip(batch, faces, strict=True))
            for frame, face in steady(each, self._settings.musetalk_steadying, follows):
                yield lay_over(frame, face, crops)
            encodings.save()

    def _load(self) -> "FaceGenerator":
        from heygem_pipeline.devices import chosen_device

        device = chosen_device(self._settings.device)
        import torch

        from heygem_pipeline.lipsync.musetalk.network.inference import FaceGenerator
        from heygem_pipeline.lipsync.musetalk.network.weight_files import load_networks

        precision = self._settings.musetalk_precision
        dtype = None if precision == "auto" else getattr(torch, precision)
        generator = FaceGenerator(lambda: load_networks(*self._weights), device, dtype)
        logger.info("MuseTalk draws on %s, %d frames at once.", generator, generator.batch)
        return generator

    def _weights_identity(self) -> str:
        return ", ".join(weights_identity(path) for path in self._weights) or "given"

    def _encodings(self, tracks: FaceTracks, generator: "FaceGenerator") -> FaceEncodings:
        """Those of the presenter, by all that they hang on."""
        upload = tracks.upload
        if upload is None:
            return FaceEncodings(None, "", len(tracks))
        rate, width, height = tracks.frame_rate, *tracks.size
        made_of = [upload.fingerprint, upload.tracker, CROP_VERSION, f"{rate} {width} {height}"]
        made_of += [self._weights_identity(), str(generator)]
        identity = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
        return FaceEncodings(upload.encodings, identity, len(tracks), upload.most_bytes)


def engine_of(settings: EngineSettings) -> MuseTalkEngine:
    """The engine as the entry point ``musetalk`` makes it. Raises ModelMissing."""
    return MuseTalkEngine(settings=settings)


def weight_files(settings: EngineSettings) -> tuple[Path, ...]:
    """Return where UNet, autoencoder and Whisper lie. Raises ModelMissing where one of them or a package is missing."""
    paths = weights_of("musetalk", settings)
    lacking = [name for name in PACKAGES if find_spec(name) is None]
    if lacking:
        raise ModelMissing("musetalk.no_packages", packages=", ".join(lacking))
    return paths


def _samples(speech: SpeechFeatures) -> NDArray[np.float32]:
    """The voice at 16 kHz and at one loudness, like those that Whisper and the network have heard most of."""
    count = round(speech.duration * SAMPLE_RATE)
    if speech.sound is None:
        return np.zeros(count, np.float32)
    samples = read_sound(speech.sound, SAMPLE_RATE, LIMITS).samples
    samples *= np.float32(normalising_gain(speech.level))
    return samples
