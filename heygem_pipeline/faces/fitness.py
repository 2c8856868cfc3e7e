"""Whether a tracked template can be made to speak: what is refused, and what is only said."""

import numpy as np

from heygem_pipeline.errors import FaceRarelySeen, FaceTooSmall, FaceTurnedAway, NoFace
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import DEFAULTS, UploadLimits


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


def refuse_unfit(tracks: FaceTracks, name: str, limits: UploadLimits = DEFAULTS) -> None:
    """Raise NoFace, FaceRarelySeen, FaceTooSmall or FaceTurnedAway if the template called ``name`` cannot be used."""
    share = face_share(tracks)
    if share == 0:
        raise NoFace(
            f"No face was found in {name}; use a recording of one person seen from the front, upright and well lit."
        )
    if share < limits.min_face_share:
        raise FaceRarelySeen(
            f"A face is seen in only {share:.0%} of the frames of {name}, and at least {limits.min_face_share:.0%} are "
            "needed; cut the recording to the part in which the presenter faces the camera."
        )
    width = face_width(tracks)
    if width < limits.min_face_pixels:
        raise FaceTooSmall(
            f"The face in {name} is {width:.0f} pixels wide, and at least {limits.min_face_pixels} are needed; "
            "record closer to the presenter or at a higher resolution."
        )
    turned = turned_share(tracks, limits.max_yaw_degrees)
    if turned > 0.5:
        raise FaceTurnedAway(
            f"The presenter in {name} is turned more than {limits.max_yaw_degrees:.0f} degrees to the side in "
            f"{turned:.0%} of the frames; use a recording of someone who looks into the camera."
        )


def fitness_warnings(tracks: FaceTracks, limits: UploadLimits = DEFAULTS) -> list[Message]:
    """Return a message for each thing that makes a usable template less than good."""
    warnings = []
    width, height = tracks.size
    if min(width, height) < limits.good_height:
        warnings.append(Message("picture.small", width=width, height=height, wanted=limits.good_height))
    if tracks.other_faces == 1:
        warnings.append(Message("face.one_other"))
    elif tracks.other_faces:
        warnings.append(Message("face.others", count=tracks.other_faces))
    missing = int((~tracks.present).sum())
    if missing:
        warnings.append(Message("face.frames_without", missing=missing, frames=len(tracks)))
    if len(tracks.cuts) == 1:
        warnings.append(Message("picture.one_cut"))
    elif tracks.cuts:
        warnings.append(Message("picture.cuts", count=len(tracks.cuts)))
    minutes = float(len(tracks) / tracks.frame_rate) / 60
    if minutes > limits.long_minutes:
        warnings.append(Message("presenter.long", minutes=minutes))
    return warnings
