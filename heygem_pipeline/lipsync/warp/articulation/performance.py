"""What a mouth is asked to do, frame by frame, whoever asks: speech, or the recording of a person who speaks."""

from dataclasses import dataclass
from typing import Protocol

from heygem_pipeline.lipsync.warp.analysis.rest_pose import RestOffset
from heygem_pipeline.lipsync.warp.articulation.lip_model import Articulation, spoken_contours
from heygem_pipeline.lipsync.warp.contours import MouthContours


@dataclass(frozen=True)
class MouthTarget:
    """The mouth one output frame shall have.

    Attributes:
        target: its lines, head frame.
        jaw: how far the jaw drops from rest, IOD.
        rounding: 0 = spread .. 1 = pursed.
    """

    target: MouthContours
    jaw: float
    rounding: float


class Performance(Protocol):
    """A mouth's shape for every output frame."""

    def __len__(self) -> int:
        """Number of output frames."""
        ...

    def target_for(self, output_frame: int, own: MouthContours, rest: RestOffset) -> MouthTarget:
        """Return what one output frame shall show.

        Args:
            own: the lips of the presenter's frame.
            rest: where they would be if they did not move of their own.
        """
        ...


@dataclass(frozen=True)
class SpeechPerformance:
    """Asks for what speech articulates."""

    articulations: list[Articulation]

    def __len__(self) -> int:
        """Number of output frames."""
        return len(self.articulations)

    def target_for(self, output_frame: int, own: MouthContours, rest: RestOffset) -> MouthTarget:
        """See ``Performance.target_for``."""
        wanted = self.articulations[output_frame]
        return MouthTarget(spoken_contours(own, wanted, rest), wanted.jaw, wanted.rounding)
