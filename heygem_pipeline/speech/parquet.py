"""Speech features on disk: one Parquet row every 1/80 s."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from heygem_pipeline.speech.features import FEATURE_RATE, MEL_BANDS, SpeechFeatures
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.metadata import INNER

MEL_COLUMNS = [f"mel_{band:02d}" for band in range(MEL_BANDS)]
_DURATION = f"{INNER}duration_seconds".encode()


def features_to_table(features: SpeechFeatures, metadata: dict[str, str] | None = None) -> pa.Table:
    """Return the features as a table: ``time`` (float64, seconds), then float32 ``mel_00`` .. ``level``, ``activity``.

    The exact duration is kept in the schema's metadata as a fraction of seconds, beside what ``metadata`` adds
    (the upload's fingerprint, say).
    """
    columns = {"time": np.arange(len(features.level)) / FEATURE_RATE}
    columns |= {name: features.log_mel[:, band] for band, name in enumerate(MEL_COLUMNS)}
    columns |= {"level": features.level, "activity": features.activity}
    table = pa.table({name: np.ascontiguousarray(column) for name, column in columns.items()})
    return table.replace_schema_metadata({**(metadata or {}), _DURATION: str(features.duration)})


def table_to_features(table: pa.Table) -> SpeechFeatures:
    """Return what ``features_to_table`` was given, bit for bit. Raises KeyError for a table of something else."""
    log_mel = np.empty((table.num_rows, MEL_BANDS), np.float32)
    for band, name in enumerate(MEL_COLUMNS):
        log_mel[:, band] = table[name].to_numpy()
    return SpeechFeatures(
        duration=Fraction((table.schema.metadata or {})[_DURATION].decode()),
        log_mel=log_mel,
        level=table["level"].to_numpy().astype(np.float32),
        activity=table["activity"].to_numpy().astype(np.float32),
    )


def write_features(features: SpeechFeatures, destination: Path, metadata: dict[str, str] | None = None) -> None:
    """Write the features to a Parquet file, whole or not at all. Raises DiskFull."""
    with atomic_path(destination) as temporary:
        pq.write_table(features_to_table(features, metadata), temporary, compression="zstd")


def read_features(path: Path) -> SpeechFeatures:
    """Return the features of a Parquet file that ``write_features`` wrote."""
    return table_to_features(pq.read_table(path))
