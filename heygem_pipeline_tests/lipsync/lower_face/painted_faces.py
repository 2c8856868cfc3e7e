"""Painters that stand in for a network: they need none."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Face = NDArray[np.float32]


class Seen(Protocol):
    """What a network sees."""

    @property
    def face(self) -> NDArray[np.uint8]:
        """(96, 96, 3) BGR."""
        ...


def tinted(asked: Seen) -> Face:
    """The same face, duller, bluer and darker: a drawing whose colours are off."""
    return np.clip(0.75 * asked.face + np.array([70, 10, -10]), 0, 255).astype(np.float32)


def open_mouthed(asked: Seen) -> Face:
    """The same face with a dark spot where the mouth is."""
    import cv2

    face = asked.face.astype(np.float32)
    cv2.ellipse(face, (48, 72), (12, 8), 0, 0, 360, (20, 10, 60), -1)
    return face
