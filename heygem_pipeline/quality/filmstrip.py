"""Small pictures of a clip: a strip of faces for the page, a sheet of strips for several clips."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.media.frame import Frame
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.settings import UploadLimits
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.clip_key import ClipKey

STRIPS = "filmstrips"
"""Addresses of strips end in ``filmstrips/<voice>/<presenter>.jpg``."""

PICTURES = 8
PICTURE_SIDE = 160
FACE_MARGIN = 0.25
"""Share of the face box added on each side."""


class Filmstrip:
    """Keeps evenly spaced face pictures of the frames that pass by; memory does not grow with their number."""

    def __init__(self, tracks: FaceTracks, frame_count: int) -> None:
        self._tracks = tracks
        self._wanted = set(np.linspace(0, frame_count - 1, PICTURES + 2).round().astype(int)[1:-1].tolist())
        self._pictures: list[NDArray[np.uint8]] = []

    def watch(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass the frames on."""
        for index, frame in enumerate(frames):
            if index in self._wanted:
                self._pictures.append(self._face(frame, ping_pong(index, len(self._tracks))))
            yield frame

    def picture(self) -> NDArray[np.uint8]:
        """The strip, uint8 (160, 160 n, 3) BGR."""
        return np.concatenate(self._pictures, axis=1) if self._pictures else np.zeros((PICTURE_SIDE, 1, 3), np.uint8)

    def _face(self, frame: Frame, presenter_frame: int) -> NDArray[np.uint8]:
        import cv2

        width, height = frame.size
        box = self._tracks.boxes[presenter_frame]
        if not np.isfinite(box).all():
            box = np.array([0, 0, width, height], np.float32)
        side = min((box[2] - box[0]) * (1 + 2 * FACE_MARGIN), height, width)
        left = int(np.clip((box[0] + box[2] - side) / 2, 0, width - side))
        top = int(np.clip((box[1] + box[3] - side) / 2, 0, height - side))
        face = frame.part(left, top, left + int(side), top + int(side))
        return np.asarray(cv2.resize(face, (PICTURE_SIDE, PICTURE_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def strip_of_clip(video: Path, tracks: FaceTracks, limits: UploadLimits) -> NDArray[np.uint8]:
    """The strip of a finished clip, read from its file.

    Args:
        tracks: of its presenter.
        limits: those the clip's uploads had to keep.
    """
    clip = FrameSequence.open(video, limits)
    strip = Filmstrip(tracks, clip.info.frame_count)
    for _ in strip.watch(frame for _, frame in clip.shown(clip.info.frame_count)):
        pass
    return strip.picture()


def as_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """The picture as a JPEG of about 25 kB."""
    import cv2

    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return encoded.tobytes()


def as_markdown(clip: ClipKey) -> str:
    """A Markdown image whose address is relative: a page that shows it serves the strip below its own address."""
    return f"![{clip.label}]({STRIPS}/{quote(clip.voice)}/{quote(clip.presenter)}.jpg)"


def write_sheet(rows: list[tuple[str, NDArray[np.uint8]]], destination: Path) -> None:
    """Write strips below each other, each under its title (Latin letters), as a PNG."""
    import cv2

    width = max(strip.shape[1] for _, strip in rows)
    parts = []
    for title, strip in rows:
        heading = np.full((28, width, 3), 255, np.uint8)
        cv2.putText(heading, title, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (40, 40, 40), 1, cv2.LINE_AA)
        parts += [heading, np.pad(strip, ((0, 0), (0, width - strip.shape[1]), (0, 0)), constant_values=255)]
    with atomic_path(destination) as temporary:
        _, encoded = cv2.imencode(".png", np.concatenate(parts))
        temporary.write_bytes(encoded.tobytes())
