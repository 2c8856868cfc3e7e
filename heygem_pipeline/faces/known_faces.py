"""Landmarks of a face whose place is known from elsewhere, such as from the presenter a clip was made of."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import box_around, intersection_over_union
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.mesh_points import LIP_LINES
from heygem_pipeline.faces.mesh_reader import LEAST_PRESENCE, MeshReading, read_face, read_unread_face
from heygem_pipeline.faces.tracker import FollowedFace

SAME_PLACE_OVERLAP = 0.7
"""Of the face read last with the known one, from which the next crop is cut around what was read."""


class KnownFaceReader:
    """Reads one frame after the other; no detector is asked."""

    def __init__(self, networks: MeshNetworks | None = None) -> None:
        self._networks = networks or MeshNetworks()
        self._last: MeshReading | None = None

    def read(self, frame: NDArray[np.uint8], known: NDArray[np.floating]) -> MeshReading | None:
        """Read the face of a BGR frame near its 68 known landmarks (68, 2); None where no face is there."""
        expected, last = box_around(known), self._last
        if last is not None and intersection_over_union(last.box, expected) >= SAME_PLACE_OVERLAP:
            reading = read_face(self._networks, frame, last.crop)
        else:
            across = known[45] - known[36]
            lean = float(np.degrees(np.arctan2(across[1], across[0])))
            # That there is a face is known.
            reading = read_unread_face(self._networks, frame, expected, lean, least_presence=0.0)
        self._last = reading if reading is not None and reading.presence >= LEAST_PRESENCE else None
        return self._last


def read_known_faces(
    frames: Iterable[NDArray[np.uint8]], known: NDArray[np.floating], cuts: tuple[int, ...] = ()
) -> FollowedFace:
    """Read every BGR frame near its known landmarks (frames, 68, 2); a row of NaN says that it shows no face.

    Args:
        cuts: frames at which another piece begins.
    """
    count = len(known)
    boxes, score = np.full((count, 4), np.nan, np.float32), np.full(count, np.nan, np.float32)
    landmarks = np.full((count, 68, 2), np.nan, np.float32)
    lips = np.full((count, *LIP_LINES.shape, 2), np.nan, np.float32)
    reader = KnownFaceReader()
    for index, (frame, place) in enumerate(zip(frames, known, strict=False)):
        reading = reader.read(frame, place) if np.isfinite(place).all() else None
        if reading is not None:
            boxes[index], score[index] = reading.box, reading.presence
            landmarks[index], lips[index] = reading.landmarks, reading.lips
    return FollowedFace(boxes, landmarks, score, cuts, 0, lips)
