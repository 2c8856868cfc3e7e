"""What is known of a voice: the table that both engines and the checks read."""

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from heygem_pipeline.media.timeline import count_frames
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.parquet import INNER, read_table

FEATURE_RATE = 80
"""Rows a second (16 000 Hz / hop of 200 samples)."""

MEL_BANDS = 80

MOVEMENTS = ("gap", "width", "jaw", "lower", "upper", "rounding", "rolling", "closure")
"""What the mouth network says of each row."""


@dataclass(frozen=True)
class KnownClosure:
    """A sound for which lips meet, where it is known for certain when it is said.

    Attributes:
        begin: seconds.
        end: seconds.
        touching: the lips touch each other (m, b, p); else the lower one touches the teeth (f, v).
    """

    begin: float
    end: float
    touching: bool = True


@dataclass(frozen=True)
class SpeechFeatures:
    """Features of one voice, one row every 1/80 s; row k is centred on k/80 s.

    Attributes:
        duration: exact length of the upload's sound, seconds.
        log_mel: float32 (rows, 80), Wav2Lip's normalised log-mel, -4..4, of the level-normalised speech.
        level: float32 (rows,), RMS level of the upload as it is, dBFS (-100 = digital silence).
        activity: float32 (rows,), probability of speech, 0..1.
        movement: float32 (rows, movements), what the mouth network says, as ``MouthNetwork.movement`` gives it.
        sound: the upload itself, for engines that hear for themselves; None where the features are made of none. It is
            not stored with them.
        closures: all that there are, of a voice whose sounds are known; None where only the network tells.
    """

    duration: Fraction
    log_mel: NDArray[np.float32]
    level: NDArray[np.float32]
    activity: NDArray[np.float32]
    movement: NDArray[np.float32]
    sound: Path | None = None
    closures: tuple[KnownClosure, ...] | None = None

    def frame_count(self, frame_rate: Fraction) -> int:
        """Number of video frames the finished clip has: round(duration x frame rate), at least 1."""
        return count_frames(self.duration, frame_rate)


MEL_COLUMNS = [f"mel_{band:02d}" for band in range(MEL_BANDS)]
MOVEMENT_COLUMNS = [f"mouth_{name}" for name in MOVEMENTS]
_DURATION = f"{INNER}duration_seconds".encode()
_CLOSURES = f"{INNER}known_closures".encode()


def features_to_table(features: SpeechFeatures, metadata: dict[str, str] | None = None) -> pa.Table:
    """Return the features as a table: ``time`` (float64, seconds), then float32 ``mel_00`` .. ``level``, ``activity``,
    ``mouth_gap`` .. ``mouth_closure``.

    The exact duration is kept in the schema's metadata as a fraction of seconds, and closures that are known as JSON,
    beside what ``metadata`` adds (the upload's fingerprint, say).
    """
    columns = {"time": np.arange(len(features.level)) / FEATURE_RATE}
    columns |= {name: features.log_mel[:, band] for band, name in enumerate(MEL_COLUMNS)}
    columns |= {"level": features.level, "activity": features.activity}
    columns |= {name: features.movement[:, index] for index, name in enumerate(MOVEMENT_COLUMNS)}
    table = pa.table({name: np.ascontiguousarray(column) for name, column in columns.items()})
    kept: dict[str | bytes, str] = {_DURATION: str(features.duration)}
    kept.update(metadata or {})
    if features.closures is not None:
        kept[_CLOSURES] = json.dumps([asdict(one) for one in features.closures])
    return table.replace_schema_metadata(kept)


def table_to_features(table: pa.Table) -> SpeechFeatures:
    """Return what ``features_to_table`` was given, bit for bit.

    Raises KeyError for a table of something else, or of a version that did not keep the movement.
    """
    kept = table.schema.metadata or {}
    known = json.loads(kept[_CLOSURES]) if _CLOSURES in kept else None
    return SpeechFeatures(
        duration=Fraction(kept[_DURATION].decode()),
        log_mel=_side_by_side(table, MEL_COLUMNS),
        level=table["level"].to_numpy().astype(np.float32),
        activity=table["activity"].to_numpy().astype(np.float32),
        movement=_side_by_side(table, MOVEMENT_COLUMNS),
        closures=None if known is None else tuple(KnownClosure(**one) for one in known),
    )


def _side_by_side(table: pa.Table, names: list[str]) -> NDArray[np.float32]:
    rows = np.empty((table.num_rows, len(names)), np.float32)
    for index, name in enumerate(names):
        rows[:, index] = table[name].to_numpy()
    return rows


def write_features(features: SpeechFeatures, destination: Path, metadata: dict[str, str] | None = None) -> None:
    """Write the features to a Parquet file, whole or not at all. Raises DiskFull."""
    with atomic_path(destination) as temporary:
        pq.write_table(features_to_table(features, metadata), temporary, compression="zstd")


def read_features(path: Path) -> SpeechFeatures:
    """Return the features of a Parquet file that ``write_features`` wrote."""
    return table_to_features(read_table(path))
