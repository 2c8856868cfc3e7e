"""Make ``speaking.jpg`` from finished demo clips: ``python docs/pictures/speaking.py data/outputs``.

A row a clip, the same moments of the voice side by side, so that one sees two presenters say the same sound.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.media.frame_sequence import FrameSequence

CROPS = {"grace-hopper": (410, 140, 460), "astronaut": (375, 100, 400)}
"""Left, top and side of the square around head and neck, pixels of the 1280 x 720 clip."""
MOMENTS = {
    "english": (0.0, 0.48, 1.12, 2.40, 4.32, 5.92),
    "chinese": (0.0, 0.32, 1.12, 2.08, 3.36, 6.72),
}
"""Seconds of each voice: first the closed mouth, then sounds that look different."""
TILE = 200
GAP = 4


def tiles(clip: Path, crop: tuple[int, int, int], seconds: tuple[float, ...]) -> list[NDArray[np.uint8]]:
    """The crop at each of these seconds, uint8 (TILE, TILE, 3) BGR."""
    import cv2

    sequence = FrameSequence.open(clip)
    wanted = {round(second * sequence.info.frame_rate) for second in seconds}
    left, top, side = crop
    return [
        np.asarray(
            cv2.resize(frame[top : top + side, left : left + side], (TILE, TILE), interpolation=cv2.INTER_AREA),
            np.uint8,
        )
        for index, frame in enumerate(sequence.frames())
        if index in wanted
    ]


def sheet(outputs: Path) -> NDArray[np.uint8]:
    """All rows below each other, with a white gap."""
    rows = []
    edge = ((0, GAP), (0, GAP), (0, 0))
    for voice, seconds in MOMENTS.items():
        for presenter, crop in CROPS.items():
            row = tiles(outputs / voice / f"{presenter}.mp4", crop, seconds)
            rows.append(np.concatenate([np.pad(tile, edge, constant_values=255) for tile in row], axis=1))
    return np.concatenate(rows)[:-GAP, :-GAP]


if __name__ == "__main__":
    import cv2

    cv2.imwrite(str(Path(__file__).with_name("speaking.jpg")), sheet(Path(sys.argv[1])), [cv2.IMWRITE_JPEG_QUALITY, 88])
