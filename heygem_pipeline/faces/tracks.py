"""Where the face is in every frame of a presenter: one row a frame of the constant-rate timeline."""

import json
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.faces.mesh_points import LIP_LINES, MOUTH_BLENDSHAPES
from heygem_pipeline.faces.mouth_cover import NOTHING_BEFORE, MouthCover
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.parquet import INNER, read_table


class FaceState(IntEnum):
    """How a frame's row came about."""

    ABSENT = 0
    """No face: the frame passes through unchanged; its numbers are NaN."""
    FOUND = 1
    """The landmarks were read from this very frame."""
    FILLED = 2
    """Interpolated over a short gap between frames with a face."""


@dataclass(frozen=True)
class TrackedUpload:
    """Whose tracks they are, for engines that keep what they compute of a presenter alone.

    Attributes:
        fingerprint: of the upload.
        tracker: its name and version.
        encodings: the file to keep it in.
        most_bytes: all files of its folder together may take so many.
        lips: a file of that folder for what is seen of the lips; None where that is not kept.
    """

    fingerprint: str
    tracker: str
    encodings: Path
    most_bytes: int
    lips: Path | None = None


@dataclass(frozen=True)
class FaceTracks:
    """The followed face of one presenter. Arrays have one entry a frame; pixels are those of the upright, square frame.

    The head frame has its origin midway between the eye centres, x to the viewer's right, y down, and 1.0 = the
    distance between the eye centres (IOD).

    Attributes:
        frame_rate: frames a second of the constant-rate timeline.
        size: (width, height) of the frames.
        state: int8 (frames,), values of FaceState.
        boxes: float32 (frames, 4), left, top, right, bottom, smoothed.
        landmarks: float32 (frames, 68, 2), iBUG order, x and y, not smoothed in time.
        head: float64 (frames, 2, 3), smoothed similarity from frame pixels to the head frame.
        raw_head: float64 (frames, 2, 3), before smoothing: mouth coordinates go through it, so that jitter cancels.
        pose: float32 (frames, 3), yaw, pitch, roll in degrees, smoothed; yaw > 0 turns to the viewer's right, pitch > 0
            up, roll > 0 clockwise.
        score: float32 (frames,), how surely a face is there, 0 to 1.
        reference: float32 (68, 2), median shape of the clip in the head frame.
        other_faces: the largest number of further faces seen in one frame.
        lips: float32 (frames, 4, 11, 2), the lips' lines as LIP_LINES orders them, pixels; from the landmarks where the
            tracker reads none.
        blendshapes: float32 (frames, 16), of the mouth as MOUTH_BLENDSHAPES orders them, 0 to 1; NaN where the tracker
            reads none.
        cuts: frames at which another shot or another face begins; nothing is smoothed or filled across them.
        cover: what is before the mouth, as far as it can be told.
        upload: None where nothing may be kept of the presenter. It is not stored with them.
    """

    frame_rate: Fraction
    size: tuple[int, int]
    state: NDArray[np.int8]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    head: NDArray[np.float64]
    raw_head: NDArray[np.float64]
    pose: NDArray[np.float32]
    score: NDArray[np.float32]
    reference: NDArray[np.float32]
    other_faces: int
    lips: NDArray[np.float32]
    blendshapes: NDArray[np.float32]
    cuts: tuple[int, ...] = ()
    cover: MouthCover = NOTHING_BEFORE
    upload: TrackedUpload | None = None

    def __len__(self) -> int:
        return len(self.state)

    @property
    def present(self) -> NDArray[np.bool_]:
        """Whether each frame has usable landmarks, bool (frames,)."""
        return self.state != FaceState.ABSENT

    def head_frame(self, frame: int) -> HeadFrame:
        """The smoothed head frame of one frame that shows a face."""
        return HeadFrame(self.head[frame])

    @property
    def shots(self) -> NDArray[np.int64]:
        """Which shot each frame belongs to, int64 (frames,), counted from 0: the cuts lie between them."""
        return np.searchsorted(np.array(self.cuts, int), np.arange(len(self)), side="right")


BOX_COLUMNS = ["left", "top", "right", "bottom"]
LANDMARK_COLUMNS = [f"{axis}{point:02d}" for point in range(68) for axis in "xy"]
LIP_COLUMNS = [
    f"{line}_{axis}{point:02d}"
    for line in ("outer_upper", "outer_lower", "inner_upper", "inner_lower")
    for point in range(LIP_LINES.shape[1])
    for axis in "xy"
]
BLENDSHAPE_COLUMNS = list(MOUTH_BLENDSHAPES)
POSE_COLUMNS = ["yaw", "pitch", "roll"]
HEAD_COLUMNS = [f"head_{row}{column}" for row in range(2) for column in range(3)]
RAW_HEAD_COLUMNS = [f"raw_{name}" for name in HEAD_COLUMNS]
SCHEMA = 2
"""Of the table. 1: before the lips' lines and the blendshapes; its tables are of trackers that are gone."""
_CLIP = f"{INNER}face_tracks".encode()


def tracks_to_table(tracks: FaceTracks, metadata: dict[str, str] | None = None) -> pa.Table:
    """Return the tracks as a table; numbers are null in frames without a face.

    Columns: ``frame``, ``time`` (float64, seconds, for reading by eye: exact is frame / frame_rate), ``state`` (absent,
    found or filled), box, ``x00`` ``y00`` .. ``x67`` ``y67``, the lips' lines, the blendshapes, pose, ``score``, and
    the two head matrices row by row.
    What holds for the whole clip is JSON in the schema's metadata, beside what ``metadata`` adds (the upload's
    fingerprint, say).
    """
    count = len(tracks)
    absent = ~tracks.present
    columns: dict[str, pa.Array] = {
        "frame": pa.array(np.arange(count)),
        "time": pa.array(np.arange(count) * tracks.frame_rate.denominator / tracks.frame_rate.numerator),
        "state": pa.array([FaceState(state).name.lower() for state in tracks.state], pa.string()),
    }
    for names, values in _numbers(tracks):
        rows = values.reshape(count, len(names))
        columns |= {name: pa.array(np.ascontiguousarray(rows[:, i]), mask=absent) for i, name in enumerate(names)}
    clip = {
        "schema": SCHEMA,
        "frame_rate": str(tracks.frame_rate),
        "size": list(tracks.size),
        "reference": [None if np.isnan(value) else float(value) for value in tracks.reference.ravel()],
        "other_faces": tracks.other_faces,
        "cuts": list(tracks.cuts),
        "cover": tracks.cover._asdict(),
    }
    return pa.table(columns).replace_schema_metadata({**(metadata or {}), _CLIP: json.dumps(clip)})


def table_to_tracks(table: pa.Table) -> FaceTracks:
    """Return what ``tracks_to_table`` was given, bit for bit.

    Raises KeyError for a table of something else or of another schema.
    """
    clip = json.loads((table.schema.metadata or {})[_CLIP])
    if clip["schema"] != SCHEMA:
        raise KeyError(f"schema {clip['schema']}")
    count = table.num_rows
    reference = [np.nan if value is None else value for value in clip["reference"]]
    return FaceTracks(
        frame_rate=Fraction(clip["frame_rate"]),
        size=(clip["size"][0], clip["size"][1]),
        state=np.array([FaceState[name.upper()] for name in table["state"].to_pylist()], np.int8),
        boxes=_stacked(table, BOX_COLUMNS).astype(np.float32),
        landmarks=_stacked(table, LANDMARK_COLUMNS).reshape(count, 68, 2).astype(np.float32),
        head=_stacked(table, HEAD_COLUMNS).reshape(count, 2, 3),
        raw_head=_stacked(table, RAW_HEAD_COLUMNS).reshape(count, 2, 3),
        pose=_stacked(table, POSE_COLUMNS).astype(np.float32),
        score=_stacked(table, ["score"])[:, 0].astype(np.float32),
        reference=np.array(reference, np.float32).reshape(68, 2),
        other_faces=clip["other_faces"],
        lips=_stacked(table, LIP_COLUMNS).reshape(count, *LIP_LINES.shape, 2).astype(np.float32),
        blendshapes=_stacked(table, BLENDSHAPE_COLUMNS).astype(np.float32),
        cuts=tuple(clip["cuts"]),
        # Tables of before it was looked at have none.
        cover=MouthCover(**clip.get("cover", {})),
    )


def write_tracks(tracks: FaceTracks, destination: Path, metadata: dict[str, str] | None = None) -> None:
    """Write the tracks to a Parquet file, whole or not at all. Raises DiskFull."""
    with atomic_path(destination) as temporary:
        pq.write_table(tracks_to_table(tracks, metadata), temporary, compression="zstd")


def read_tracks(path: Path) -> FaceTracks:
    """Return the tracks of a Parquet file that ``write_tracks`` wrote. Raises KeyError as ``table_to_tracks`` does."""
    return table_to_tracks(read_table(path))


def _numbers(tracks: FaceTracks) -> list[tuple[list[str], NDArray[np.floating]]]:
    return [
        (BOX_COLUMNS, tracks.boxes),
        (LANDMARK_COLUMNS, tracks.landmarks),
        (LIP_COLUMNS, tracks.lips),
        (BLENDSHAPE_COLUMNS, tracks.blendshapes),
        (POSE_COLUMNS, tracks.pose),
        (["score"], tracks.score),
        (HEAD_COLUMNS, tracks.head),
        (RAW_HEAD_COLUMNS, tracks.raw_head),
    ]


def _stacked(table: pa.Table, names: list[str]) -> NDArray[np.float64]:
    """Return columns side by side, (rows, columns); null becomes NaN."""
    return np.stack([table[name].to_numpy(zero_copy_only=False) for name in names], axis=1).astype(np.float64)
