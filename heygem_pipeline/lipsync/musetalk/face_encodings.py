"""What the autoencoder makes of a presenter's faces, kept for every voice: it hangs on the presenter alone.

One file a presenter: a line of JSON that says what it is of, a byte for every frame (1: it is there), then the
latents frame by frame, float16. It appears whole or not at all; what is not known of it yet is added by later clips.
"""

import json
import logging
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import DiskFull
from heygem_pipeline.storage.atomic import NO_ROOM, atomic_path
from heygem_pipeline.storage.bounded_folder import make_room

SHAPE = (8, 32, 32)
BYTES = 2 * int(np.prod(SHAPE))
"""Of a frame."""
HEADER_BYTES = 256

Latents = NDArray[np.float16]

logger = logging.getLogger(__name__)


class FaceEncodings:
    """The latents of one presenter's frames, read and added to while a clip is drawn; none of them is held."""

    def __init__(self, path: Path | None, identity: str, frames: int, most_bytes: int = 0) -> None:
        """Open what there is.

        Args:
            path: where it is kept; None: for this clip only.
            identity: digits that tell presenter, tracker, weights and precision apart.
            frames: of the presenter.
            most_bytes: as of ``TrackedUpload``.
        """
        self._path, self._identity, self._frames, self._most = path, identity, frames, most_bytes
        self._stored = self._open_stored()
        self._known = np.zeros(frames, np.bool_) if self._stored is None else self._known_of(self._stored)
        self._added = np.zeros(frames, np.bool_)
        self._spool: BinaryIO | None = TemporaryFile()  # noqa: SIM115 - closed by close()

    def __len__(self) -> int:
        """How many frames are there."""
        return int((self._known | self._added).sum())

    def get(self, frame: int) -> Latents | None:
        """Return a frame's latents, None where they are not there."""
        if self._added[frame] and self._spool is not None:
            return _read(self._spool, frame * BYTES)
        if self._known[frame] and self._stored is not None:
            return _read(self._stored, self._first + frame * BYTES)
        return None

    def add(self, frame: int, latents: Latents) -> None:
        """Note a frame's latents; where the disk is full, they are computed again when they are needed."""
        if self._spool is None:
            return
        try:
            self._spool.seek(frame * BYTES)
            self._spool.write(latents.tobytes())
            self._spool.flush()
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self._spool.close()
            self._spool, self._added[:] = None, False
            return
        self._added[frame] = True

    def save(self) -> None:
        """Keep what was added, if there is room for it; what was used longest ago makes room."""
        if self._path is None or not self._added.any():
            return
        if not make_room(self._path, self._first + self._frames * BYTES, self._most):
            return
        known = self._known | self._added
        header = json.dumps({"identity": self._identity, "frames": self._frames}).encode()
        try:
            with atomic_path(self._path) as temporary, temporary.open("wb") as file:
                file.write(header.ljust(HEADER_BYTES - 1) + b"\n" + known.tobytes())
                for frame in np.flatnonzero(known):
                    latents = self.get(int(frame))
                    assert latents is not None
                    file.seek(self._first + int(frame) * BYTES)
                    file.write(latents.tobytes())
                file.truncate(self._first + self._frames * BYTES)
        except DiskFull:
            logger.warning("There is no room to keep what was computed of %s.", self._path.stem)

    def close(self) -> None:
        """Let go of the files."""
        for file in (self._stored, self._spool):
            if file is not None:
                file.close()

    @property
    def _first(self) -> int:
        return HEADER_BYTES + self._frames

    def _open_stored(self) -> BinaryIO | None:
        if self._path is None:
            return None
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return None
        if _header(file) == {"identity": self._identity, "frames": self._frames} and self._is_whole(file):
            self._path.touch()
            return file
        file.close()
        return None

    def _is_whole(self, file: BinaryIO) -> bool:
        return file.seek(0, 2) == self._first + self._frames * BYTES

    def _known_of(self, file: BinaryIO) -> NDArray[np.bool_]:
        file.seek(HEADER_BYTES)
        return np.frombuffer(file.read(self._frames), np.uint8).astype(np.bool_)


def _header(file: BinaryIO) -> object:
    try:
        return json.loads(file.read(HEADER_BYTES))
    except ValueError:
        return None


def _read(file: BinaryIO, place: int) -> Latents:
    file.seek(place)
    return np.frombuffer(file.read(BYTES), np.float16).reshape(SHAPE)
