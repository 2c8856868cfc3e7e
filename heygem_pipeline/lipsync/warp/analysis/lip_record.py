"""What is seen of a presenter's lips and light, frame by frame, kept for every voice: it hangs on the presenter alone.

Frames are shown forward and back in one order, whatever is said, and what is read in one builds on those before it: so
row n is of the n-th frame of a clip. One file a presenter: a line of JSON that says what it is of, then the rows. It
appears whole or not at all, and longer clips make it longer.
"""

import json
import logging
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import DiskFull
from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.analysis.contour_smoothing import ObservedLips
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.analysis.lip_colour import LipColour
from heygem_pipeline.lipsync.warp.analysis.lip_edges import STRIP_COLUMNS, LipEdges
from heygem_pipeline.lipsync.warp.analysis.visible_teeth import TeethAppearance
from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.bounded_folder import make_room

ROW = np.dtype(
    [
        *((line, np.float64, (STRIP_COLUMNS,)) for line in ("x", "seam", "upper", "lower")),
        ("crease", np.float32, (3,)),
        ("thirds", np.float32, (2, 3, 3)),
        ("spread", np.float32, (2, 3)),
        *((colour, np.float32, (3,)) for colour in ("skin", "lip", "dark", "enamel")),
        *((number, np.float64) for number in ("colour_seen", "upper_teeth", "lower_teeth", "amount_seen", "blur")),
    ]
)
"""As they are computed, to the last bit, so that a clip is the same whether they are read or computed."""

MOST_BYTES = 16 * 2**20
"""Of one presenter, in memory and on disk: 7 minutes at 25 frames a second. The rest of a longer clip is computed."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DetectedFace:
    """What is seen in one frame that shows a face, not steadied yet."""

    lips: ObservedLips
    light: FaceLighting


class LipRecord:
    """The rows of one presenter: those that are kept, and those that a clip adds."""

    def __init__(self, path: Path | None = None, identity: str = "", most_bytes: int = 0, together: int = 1) -> None:
        """Open what there is.

        Args:
            path: where it is kept; None: nothing is.
            identity: tells all apart that the rows hang on.
            most_bytes: as of ``TrackedUpload``.
            together: rows are kept in multiples of it.
        """
        self._path, self._identity, self._most, self._together = path, identity, most_bytes, together
        self._kept = np.zeros(0, ROW) if path is None else _stored(path, identity)
        self._added = bytearray()

    def __len__(self) -> int:
        """How many rows are there without being computed."""
        return len(self._kept)

    def face(self, number: int, predicted: MouthContours, head: HeadFrame) -> DetectedFace:
        """What a row tells of a frame with these landmarks."""
        row = self._kept[number]
        upper, lower = (LipColour(thirds, spread) for thirds, spread in zip(row["thirds"], row["spread"], strict=True))
        lines = LipEdges(
            x=row["x"],
            seam=row["seam"],
            upper=row["upper"],
            lower=row["lower"],
            crease=row["crease"],
            pixel=head.scale,
            colours=(upper, lower),
        )
        teeth = TeethAppearance(
            colour=row["enamel"],
            colour_seen=float(row["colour_seen"]),
            upper=float(row["upper_teeth"]),
            lower=float(row["lower_teeth"]),
            amount_seen=float(row["amount_seen"]),
        )
        light = FaceLighting(row["skin"], row["lip"], row["dark"], teeth, float(row["blur"]))
        return DetectedFace(ObservedLips(predicted, lines), light)

    def add(self, face: DetectedFace | None) -> None:
        """Note the row that follows; None where the frame shows no face."""
        if self._path is None or len(self._kept) * ROW.itemsize + len(self._added) + ROW.itemsize > MOST_BYTES:
            return
        self._added += _row(face).tobytes()

    def save(self) -> None:
        """Keep what was added, if it is more than is kept by now and there is room for it."""
        count = len(self._kept) + len(self._added) // ROW.itemsize
        count -= count % self._together
        if self._path is None or count <= len(self._kept) or count <= len(_stored(self._path, self._identity)):
            return
        rows = (self._kept.tobytes() + self._added)[: count * ROW.itemsize]
        if not make_room(self._path, len(rows), self._most):
            return
        header = {"identity": self._identity, "rows": count, "checksum": zlib.crc32(rows)}
        try:
            with atomic_path(self._path) as temporary, temporary.open("wb") as file:
                file.write(json.dumps(header).encode() + b"\n" + rows)
        except DiskFull:
            logger.warning("There is no room to keep what was seen of %s.", self._path.stem)


def _row(face: DetectedFace | None) -> NDArray[np.void]:
    row = np.zeros((), ROW)
    if face is None:
        return row
    lines, light, teeth = face.lips.lines, face.light, face.light.teeth
    for name in ("x", "seam", "upper", "lower", "crease"):
        row[name] = getattr(lines, name)
    row["thirds"] = [colour.thirds for colour in lines.colours]
    row["spread"] = [colour.spread for colour in lines.colours]
    row["skin"], row["lip"], row["dark"], row["enamel"] = light.skin, light.lip, light.crease, teeth.colour
    row["colour_seen"], row["amount_seen"] = teeth.colour_seen, teeth.amount_seen
    row["upper_teeth"], row["lower_teeth"], row["blur"] = teeth.upper, teeth.lower, light.blur
    return row


def _stored(path: Path, identity: str) -> NDArray[np.void]:
    """The rows of a file; none where it is not there, not whole, or of something else."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline(1024))
            if header["identity"] != identity:
                return np.zeros(0, ROW)
            rows = file.read(MOST_BYTES)
            if len(rows) != header["rows"] * ROW.itemsize or zlib.crc32(rows) != header["checksum"]:
                raise ValueError(path.name)
        os.utime(path)
    except FileNotFoundError:
        return np.zeros(0, ROW)
    except (ValueError, KeyError, TypeError):
        logger.warning("%s is damaged; it is made anew.", path.name)
        return np.zeros(0, ROW)
    return np.frombuffer(rows, ROW)
