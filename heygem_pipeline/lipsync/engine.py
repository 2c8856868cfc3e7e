"""The interface every lip-sync engine keeps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.speech.features import SpeechFeatures


@dataclass(frozen=True)
class MouthPatch:
    """What is laid over one output frame.

    Attributes:
        output_frame: index in the finished clip.
        presenter_frame: index in the presenter's constant-rate timeline of the frame it lies on.
        left: where the patch lies on it, pixels.
        top: the same, from above.
        pixels: uint8 (height, width, 3) BGR, already blended with the presenter so that it is pasted as it is; None
            where the presenter's frame passes through unchanged (no face, or no motion).
        own_mouth: how far the mouth seen is the presenter's own, taken from another of the presenter's frames, 0..1; 0
            where this frame's mouth is moved and its inside drawn.
    """

    output_frame: int
    presenter_frame: int
    left: int = 0
    top: int = 0
    pixels: NDArray[np.uint8] | None = None
    own_mouth: float = 0.0


class LipSyncEngine(Protocol):
    """Speech and a tracked presenter in, one patch for every output frame out."""

    name: str

    @property
    def version(self) -> str:
        """Changes whenever the same input would give other patches: clips of another version are out of date."""
        ...

    @property
    def device(self) -> str:
        """Where it draws and in which precision ("cpu bfloat16"), for reports; "" before anything is drawn."""
        ...

    def generate(
        self,
        speech: SpeechFeatures,
        sequence: FrameSequence,
        tracks: FaceTracks,
        presenter_speech: SpeechFeatures | None = None,
    ) -> Iterator[MouthPatch]:
        """Yield ``speech.frame_count(tracks.frame_rate)`` patches in output order, streaming.

        Args:
            presenter_speech: the presenter's own sound, if it has any: one who speaks calibrates the mapping.

        Raises:
            ModelMissing: before any work if the weights are not there.
        """
        ...
