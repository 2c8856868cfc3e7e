"""Whether a tracked presenter can be made to speak: what is refused, and what is only said."""

from pathlib import Path

import numpy as np

from heygem_pipeline.errors import FaceLeansOver, FaceRarelySeen, FaceTooSmall, FaceTurnedAway, NoFace
from heygem_pipeline.faces.mouth_measure import SPEAKING_SPAN, measure_mouth, opening_span
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import UploadLimits
from heygem_pipeline.storage.paths import sidecar_of

LARGEST_LEAN, UPSIDE_DOWN_FROM = 60.0, 135.0
"""Degrees to the side from which it is the camera that was turned, and from which the picture stands on its head."""


OPEN_MOUTH, CLOSED_MOUTH = 0.08, 0.03
"""Eye distances between the inner lips of a mouth that is plainly open, and of one that is closed."""

SEEN_IN_FRAMES = frozenset(
    {
        "face.not_found",
        "face.rarely_seen",
        "face.too_small",
        "face.upside_down",
        "face.on_its_side",
        "face.turned_away",
        "face.one_other",
        "face.others",
        "face.masked",
        "face.covered",
        "face.frames_without",
    }
)
"""Codes of what a presenter's frames show to whoever looks at them."""

MOSTLY_OPEN, ENOUGH_CLOSED_SECONDS = 0.3, 0.2
"""Share of open frames from which lips are closed with those of other frames, and how long these must be seen: a pause
between words."""


def never_closes(tracks: FaceTracks) -> float | None:
    """Return the share of frames with an open mouth, 0..1, if it speaks and its lips are hardly ever closed."""
    gap = measure_mouth(tracks).gap[tracks.present]
    if len(gap) < tracks.frame_rate or opening_span(gap) < SPEAKING_SPAN:
        return None
    open_share, closed_seconds = float((gap > OPEN_MOUTH).mean()), (gap < CLOSED_MOUTH).sum() / tracks.frame_rate
    return open_share if open_share > MOSTLY_OPEN and closed_seconds < ENOUGH_CLOSED_SECONDS else None


def face_share(tracks: FaceTracks) -> float:
    """Return the share of frames with a face, 0..1."""
    return float(tracks.present.mean()) if len(tracks) else 0.0


def face_width(tracks: FaceTracks) -> float:
    """Return the median width of the face in pixels; NaN without a face."""
    boxes = tracks.boxes[tracks.present]
    return float(np.median(boxes[:, 2] - boxes[:, 0])) if len(boxes) else float("nan")


def turned_share(tracks: FaceTracks, limit: float) -> float:
    """Return the share of the frames with a face in which it is turned further than ``limit`` degrees, 0..1."""
    yaw = np.abs(tracks.pose[tracks.present, 0])
    return float((yaw > limit).mean()) if len(yaw) else 0.0


def lean(tracks: FaceTracks) -> float:
    """Return by how many degrees the face leans to either side, the median of its frames, 0..180; NaN without one."""
    roll = np.abs(tracks.pose[tracks.present, 2])
    return float(np.median(roll)) if len(roll) else float("nan")


def refuse_unfit(tracks: FaceTracks, name: str, limits: UploadLimits) -> None:
    """Raise if the presenter called ``name`` cannot be used.

    Raises:
        NoFace: No frame shows a face.
        FaceRarelySeen: Too few frames do.
        FaceTooSmall: It has too few pixels.
        FaceLeansOver: The picture lies on its side or stands on its head.
        FaceTurnedAway: The face is turned too far to the side.
    """
    share = face_share(tracks)
    if share == 0:
        raise NoFace("face.not_found", file=name)
    if share < limits.min_face_share:
        raise FaceRarelySeen("face.rarely_seen", file=name, share=share, needed=limits.min_face_share)
    width = face_width(tracks)
    if width < limits.min_face_pixels:
        raise FaceTooSmall("face.too_small", file=name, width=width, needed=limits.min_face_pixels)
    leaning = lean(tracks)
    if leaning > UPSIDE_DOWN_FROM:
        raise FaceLeansOver("face.upside_down", file=name)
    if leaning > LARGEST_LEAN:
        raise FaceLeansOver("face.on_its_side", file=name)
    turned = turned_share(tracks, limits.max_yaw_degrees)
    if turned > 0.5:
        sidecar = sidecar_of(Path(name)).name
        raise FaceTurnedAway(
            "face.turned_away", file=name, degrees=limits.max_yaw_degrees, share=turned, sidecar=sidecar
        )


def fitness_warnings(tracks: FaceTracks, limits: UploadLimits) -> list[Message]:
    """Return a message for each thing that makes a usable presenter less than good."""
    warnings = []
    width, height = tracks.size
    if min(width, height) < limits.good_height:
        warnings.append(Message("picture.small", width=width, height=height, wanted=limits.good_height))
    if tracks.other_faces == 1:
        warnings.append(Message("face.one_other"))
    elif tracks.other_faces:
        warnings.append(Message("face.others", count=tracks.other_faces))
    if tracks.cover.masked:
        warnings.append(Message("face.masked"))
    elif tracks.cover.seconds:
        warnings.append(Message("face.covered", seconds=tracks.cover.seconds))
    missing = int((~tracks.present).sum())
    if missing:
        warnings.append(Message("face.frames_without", missing=missing, frames=len(tracks)))
    if len(tracks.cuts) == 1:
        warnings.append(Message("picture.one_cut"))
    elif tracks.cuts:
        warnings.append(Message("picture.cuts", count=len(tracks.cuts)))
    open_share = never_closes(tracks)
    if open_share is not None:
        warnings.append(Message("presenter.mouth_open", share=open_share))
    minutes = float(len(tracks) / tracks.frame_rate) / 60
    if minutes > limits.long_minutes:
        warnings.append(Message("presenter.long", minutes=minutes))
    return warnings
