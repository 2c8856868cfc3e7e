"""Photographs that blink and move the head a little: which do, and what is kept of it beside their tracks."""

import json
from dataclasses import dataclass
from typing import Self

from heygem_pipeline.faces.boxes import FacePlace
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.messages.message import Message
from heygem_pipeline.photographs.photograph import VERSION, Eyes, MovingPhotograph


@dataclass(frozen=True)
class PhotographMotion:
    """How a photograph moved when it was tracked.

    Attributes:
        version: of the motion.
        face: as ``MovingPhotograph`` takes it.
        eyes: whether they blink.
    """

    version: str
    face: FacePlace | None
    eyes: Eyes

    @classmethod
    def of(cls, sequence: FrameSequence) -> Self | None:
        """That of an open presenter; None where it is no photograph that moves."""
        motion = sequence.motion
        return cls(VERSION, motion.face, motion.eyes) if isinstance(motion, MovingPhotograph) else None

    @property
    def hints(self) -> list[Message]:
        """What is worth saying of it."""
        match self.eyes:
            case Eyes.BLINK:
                return []
            case Eyes.CLOSED:
                return [Message("photograph.eyes_closed")]
            case Eyes.UNSEEN:
                return [Message("photograph.eyes_unseen")]

    def as_text(self) -> str:
        """As it is stored."""
        return json.dumps({"version": self.version, "face": self.face, "eyes": self.eyes.value})

    @classmethod
    def from_text(cls, stored: str) -> Self:
        """What ``as_text`` made. Raises KeyError or ValueError."""
        values = json.loads(stored)
        face = values["face"]
        return cls(values["version"], FacePlace(*face) if face is not None else None, Eyes(values["eyes"]))


def in_motion(sequence: FrameSequence, fingerprint: str, face: FacePlace | None) -> FrameSequence:
    """Return a photograph's presenter with the frames of its motion; any other as it is."""
    info = sequence.info
    if not info.still:
        return sequence
    size = info.width, info.height
    return sequence.moved(MovingPhotograph(info.path, size, fingerprint, info.frame_rate, face))
